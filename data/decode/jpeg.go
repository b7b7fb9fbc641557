package decode

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// jpegHeader is what the segments before the pixels say.
type jpegHeader struct {
	width, height, components int
	orientation               int
}

// pixelFormat is one of TurboJPEG's TJPF numbers.
type pixelFormat int

const (
	formatBGR  pixelFormat = 1
	formatGray pixelFormat = 6
	formatCMYK pixelFormat = 11
)

func (d *Decoder) decodeJPEG(data []byte, mode Mode) (*Image, error) {
	h, err := readJPEGHeader(data)
	if err != nil {
		return nil, err
	}
	if err := checkSize(h.width, h.height, len(data), jpegPixelsMax); err != nil {
		return nil, err
	}
	img := &d.img
	switch {
	case h.components == 4:
		d.scratch.reset(h.width, h.height, 4)
		if err := d.jpeg.decompress(&d.scratch, data, formatCMYK); err != nil {
			return nil, err
		}
		img.reset(h.width, h.height, channelsOf(mode, 3))
		convertCMYK(img, &d.scratch)
	case channelsOf(mode, h.components) == 1:
		// libjpeg takes the luma plane as it is.
		img.reset(h.width, h.height, 1)
		err = d.jpeg.decompress(img, data, formatGray)
	default:
		img.reset(h.width, h.height, 3)
		err = d.jpeg.decompress(img, data, formatBGR)
	}
	if err != nil {
		return nil, err
	}
	return d.upright(mode, h.orientation), nil
}

// channelsOf is the number of channels that an image of n channels in the file gets.
func channelsOf(mode Mode, n int) int {
	switch {
	case mode == Color:
		return 3
	case mode == Gray || n == 1:
		return 1
	}
	return max(n, 3)
}

// readJPEGHeader walks the segments up to the first start of frame.
func readJPEGHeader(data []byte) (h jpegHeader, err error) {
	h.orientation = 1
	sawExif := false
	for at := 2; ; {
		marker, body, next := jpegSegment(data, at)
		if next == 0 {
			return h, errors.New("JPEG ends before its picture: the file is truncated or corrupt")
		}
		switch {
		case isFrame(marker):
			if len(body) < 6 {
				return h, errors.New("corrupt JPEG: short frame header")
			}
			if body[0] != 8 {
				return h, fmt.Errorf("JPEG has %d bits a sample; 8 are supported", body[0])
			}
			h.height, h.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
			h.components = int(body[5])
			return h, nil
		case marker == 0xe1 && !sawExif && len(body) > 6:
			h.orientation, sawExif = exifOrientation(body[6:]), true
		}
		at = next
	}
}

// isFrame tells start-of-frame markers from the others in their range (DHT, JPG, DAC).
func isFrame(marker byte) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

// jpegSegment finds the next segment at or after data[at]: its marker, its body without the length, and where it ends; 0 at the end of
// the data.
func jpegSegment(data []byte, at int) (marker byte, body []byte, next int) {
	for at+3 < len(data) {
		marker = data[at+1]
		standalone := marker == 0xff || marker == 0 || marker == 1 || marker >= 0xd0 && marker <= 0xd8
		if data[at] != 0xff || standalone {
			at++ // fill bytes and stray bytes between segments
			continue
		}
		n := int(binary.BigEndian.Uint16(data[at+2:]))
		if n < 2 || at+2+n > len(data) {
			return 0, nil, 0
		}
		return marker, data[at+4 : at+2+n], at + 2 + n
	}
	return 0, nil, 0
}

// convertCMYK converts the inverted CMYK that cameras' and Adobe's JPEGs hold, as OpenCV does, to dst's one or three channels.
func convertCMYK(dst, src *Image) {
	ink := func(v, k int) int { return k - (255-v)*k>>8 }
	out := dst.Pix
	for i := 0; i+3 < len(src.Pix); i += 4 {
		p := src.Pix[i : i+4]
		k := int(p[3])
		r, g, b := ink(int(p[0]), k), ink(int(p[1]), k), ink(int(p[2]), k)
		if dst.Channels == 1 {
			out[0] = luma(b, g, r)
			out = out[1:]
			continue
		}
		out[0], out[1], out[2] = byte(b), byte(g), byte(r)
		out = out[3:]
	}
}

// luma is OpenCV's gray in 14-bit fixed point.
func luma(b, g, r int) byte {
	const bits, weightR, weightG = 14, 4899, 9617
	const weightB = 1<<bits - weightR - weightG
	return byte((b*weightB + g*weightG + r*weightR + 1<<(bits-1)) >> bits)
}
