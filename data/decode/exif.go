package decode

import "encoding/binary"

// exifOrientation reads the orientation (1 to 8) from a TIFF block, as found in a JPEG's APP1 segment and a PNG's eXIf chunk; 1, upright,
// where there is none or it makes no sense.
func exifOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(tiff[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	ifd := int64(order.Uint32(tiff[4:]))
	if ifd+2 > int64(len(tiff)) {
		return 1
	}
	entries := int64(order.Uint16(tiff[ifd:]))
	for i := range entries {
		at := ifd + 2 + 12*i
		if at+12 > int64(len(tiff)) {
			break
		}
		const orientation = 0x0112
		if order.Uint16(tiff[at:]) != orientation {
			continue
		}
		if v := int(order.Uint16(tiff[at+8:])); v >= 1 && v <= 8 {
			return v
		}
		break
	}
	return 1
}

// upright turns the image just decoded, as its file says, and returns it.
func (d *Decoder) upright(mode Mode, orientation int) *Image {
	if mode != Unchanged && orientation != 1 {
		d.img, d.scratch = d.scratch, d.img
		orient(&d.img, &d.scratch, orientation)
	}
	return &d.img
}

// orient writes src, turned upright, to dst. Orientations 5 to 8 exchange width and height.
func orient(dst, src *Image, orientation int) {
	w, h, n := src.Width, src.Height, src.Channels
	transposed := orientation >= 5
	if transposed {
		dst.reset(h, w, n)
	} else {
		dst.reset(w, h, n)
	}
	flipX := orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7
	flipY := orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8
	for y := range dst.Height {
		for x := range dst.Width {
			sx, sy := x, y
			if flipX {
				sx = dst.Width - 1 - x
			}
			if flipY {
				sy = dst.Height - 1 - y
			}
			if transposed {
				sx, sy = sy, sx
			}
			copy(dst.Pix[(y*dst.Width+x)*n:][:n], src.Pix[(sy*w+sx)*n:][:n])
		}
	}
}
