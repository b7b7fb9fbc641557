package decode

import (
	"bytes"
	"fmt"
	"image"

	"golang.org/x/image/bmp"
)

func (d *Decoder) decodeBMP(data []byte, mode Mode) (*Image, error) {
	config, err := bmp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("BMP: %w", err)
	}
	if err := checkSize(config.Width, config.Height, len(data), bmpPixelsMax); err != nil {
		return nil, err
	}
	src, err := bmp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("BMP: %w", err)
	}
	d.img.reset(config.Width, config.Height, 3)
	fillColor(&d.img, src)
	if mode == Gray || mode == Unchanged && isGray(src) {
		d.img, d.scratch = d.scratch, d.img
		d.img.reset(config.Width, config.Height, 1)
		for i := range d.img.Pix {
			p := d.scratch.Pix[3*i:][:3]
			d.img.Pix[i] = luma(int(p[0]), int(p[1]), int(p[2]))
		}
	}
	return &d.img, nil
}

// isGray tells images of a palette of grays, which OpenCV keeps in one channel.
func isGray(src image.Image) bool {
	s, ok := src.(*image.Paletted)
	if !ok {
		return false
	}
	for _, c := range s.Palette {
		if r, g, b, _ := c.RGBA(); r != g || g != b {
			return false
		}
	}
	return true
}
