package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

func (d *Decoder) decodePNG(data []byte, mode Mode) (*Image, error) {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("corrupt PNG: %w", err)
	}
	h := readPNGHeader(data)
	if err := checkSize(config.Width, config.Height, len(data), deflateRatio*8/h.bits()); err != nil {
		return nil, err
	}
	if mode == Unchanged && h.depth == 16 {
		return nil, ErrDepth
	}
	src, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("corrupt PNG: %w", err)
	}
	d.img.reset(config.Width, config.Height, channelsOf(mode, h.channels()))
	if d.img.Channels == 1 {
		fillGray(&d.img, src, h)
	} else {
		fillColor(&d.img, src)
	}
	return d.upright(mode, h.orientation), nil
}

// pngHeader is what decides how OpenCV converts a PNG, beyond the pixels.
type pngHeader struct {
	depth, colorType byte
	transparency     bool   // a tRNS chunk
	gamma            uint32 // of the gAMA or sRGB chunk, times 100,000; 0 if there is none
	orientation      int
}

func readPNGHeader(data []byte) pngHeader {
	h := pngHeader{depth: 8, colorType: 2, orientation: 1}
	for at := 8; at+8 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[at:]))
		kind := string(data[at+4 : at+8])
		if n > int64(len(data)-at-8) || kind == "IDAT" {
			break
		}
		body := data[at+8:][:n]
		switch {
		case kind == "IHDR" && n >= 10:
			h.depth, h.colorType = body[8], body[9]
		case kind == "tRNS":
			h.transparency = n > 0
		case kind == "sRGB":
			h.gamma = 45455
		case kind == "gAMA" && n >= 4 && h.gamma == 0:
			h.gamma = binary.BigEndian.Uint32(body)
		case kind == "eXIf":
			h.orientation = exifOrientation(body)
		}
		at += 12 + int(n)
	}
	return h
}

// bits is the size of a pixel in the file.
func (h pngHeader) bits() int {
	samples := map[byte]int{2: 3, 4: 2, 6: 4}[h.colorType]
	return int(h.depth) * max(samples, 1)
}

// channels is what OpenCV keeps for IMREAD_UNCHANGED.
func (h pngHeader) channels() int {
	const gray, rgb, palette = 0, 2, 3
	switch {
	case h.colorType == gray:
		return 1
	case (h.colorType == rgb || h.colorType == palette) && !h.transparency:
		return 3
	}
	return 4
}

// fillColor writes src's colours, not multiplied by alpha, to the three or four channels of dst. Of 16 bits the upper 8 are taken, as
// libpng does.
func fillColor(dst *Image, src image.Image) {
	switch s := src.(type) {
	case *image.RGBA: // PNG without alpha: opaque
		swapRows(dst, s.Pix, s.Stride)
	case *image.NRGBA:
		swapRows(dst, s.Pix, s.Stride)
	default:
		at := colorAt(src)
		i := 0
		for y := range dst.Height {
			for x := range dst.Width {
				r, g, b, a := at(x, y)
				p := dst.Pix[i : i+dst.Channels]
				p[0], p[1], p[2] = byte(b>>8), byte(g>>8), byte(r>>8)
				if dst.Channels == 4 {
					p[3] = byte(a >> 8)
				}
				i += dst.Channels
			}
		}
	}
}

// swapRows copies rows of R, G, B, A to B, G, R(, A).
func swapRows(dst *Image, pix []byte, stride int) {
	for y := range dst.Height {
		in := pix[y*stride:][:4*dst.Width]
		out := dst.Pix[y*dst.Width*dst.Channels:][:dst.Width*dst.Channels]
		for len(in) >= 4 && len(out) >= dst.Channels {
			out[0], out[1], out[2] = in[2], in[1], in[0]
			if dst.Channels == 4 {
				out[3] = in[3]
			}
			in, out = in[4:], out[dst.Channels:]
		}
	}
}

// colorAt reads 16-bit colours that are not multiplied by alpha.
func colorAt(src image.Image) func(x, y int) (r, g, b, a uint32) {
	return func(x, y int) (r, g, b, a uint32) {
		c := src.At(src.Bounds().Min.X+x, src.Bounds().Min.Y+y)
		switch c := c.(type) {
		case color.NRGBA:
			return uint32(c.R) * 257, uint32(c.G) * 257, uint32(c.B) * 257, uint32(c.A) * 257
		case color.NRGBA64:
			return uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A)
		}
		return c.RGBA()
	}
}

// fillGray writes gray as libpng's png_set_rgb_to_gray gives it: in linear light if the file states its gamma, else of the values as they are.
func fillGray(dst *Image, src image.Image, h pngHeader) {
	if s, ok := src.(*image.Gray); ok {
		for y := range dst.Height {
			copy(dst.Pix[y*dst.Width:][:dst.Width], s.Pix[y*s.Stride:])
		}
		return
	}
	gray := gray8
	if h.depth == 16 {
		gray = gray16
	} else if h.gamma != 0 && (h.gamma < 95000 || h.gamma > 105000) {
		gray = linearGray(float64(h.gamma) / 100000)
	}
	at := colorAt(src)
	i := 0
	for y := range dst.Height {
		for x := range dst.Width {
			r, g, b, _ := at(x, y)
			if r == g && g == b {
				dst.Pix[i] = byte(r >> 8)
			} else {
				dst.Pix[i] = gray(r, g, b)
			}
			i++
		}
	}
}

// libpng's weights of red and green, 0.299 and 0.587, in 15 bits.
const (
	grayBits = 15
	grayR    = 9797
	grayG    = 19234
	grayB    = 1<<grayBits - grayR - grayG
	grayHalf = 1 << (grayBits - 1)
)

// gray8 weighs the upper bytes and rounds down.
func gray8(r, g, b uint32) byte {
	return byte(((r>>8)*grayR + (g>>8)*grayG + (b>>8)*grayB) >> grayBits)
}

// gray16 rounds to 16 bits, of which the upper byte is kept.
func gray16(r, g, b uint32) byte {
	return byte((r*grayR + g*grayG + b*grayB + grayHalf) >> grayBits >> 8)
}

// linearGray weighs linear light and goes back to the file's gamma.
func linearGray(gamma float64) func(r, g, b uint32) byte {
	var linear, encoded [256]uint32
	for i := range linear {
		v := float64(i) / 255
		linear[i] = uint32(255*math.Pow(v, 1/gamma) + 0.5)
		encoded[i] = uint32(255*math.Pow(v, gamma) + 0.5)
	}
	return func(r, g, b uint32) byte {
		return byte(encoded[(linear[r>>8]*grayR+linear[g>>8]*grayG+linear[b>>8]*grayB+grayHalf)>>grayBits])
	}
}
