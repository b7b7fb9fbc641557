// Package decode turns encoded images into the pixels that Caffe sees: those of OpenCV 4's imread and imdecode.
//
// JPEG goes through libjpeg-turbo, which OpenCV uses too, found when the first JPEG is decoded (libturbojpeg.so.0; Debian and Ubuntu:
// apt install libturbojpeg0). PNG and BMP need no library. Resize equals cv::resize with its default, bilinear, interpolation.
package decode

import (
	"bytes"
	"errors"
	"fmt"
)

// Mode says which channels the decoded image has.
type Mode int

const (
	// Color gives three channels, B, G, R: OpenCV's IMREAD_COLOR. Alpha is dropped, gray is repeated, EXIF orientation applied.
	Color Mode = iota
	// Gray gives one channel: OpenCV's IMREAD_GRAYSCALE.
	Gray
	// Unchanged keeps what the file has, one, three or four (B, G, R, A) channels: OpenCV's IMREAD_UNCHANGED. EXIF orientation is
	// not applied, and 16-bit images are refused.
	Unchanged
)

// Image is rows of interleaved bytes, channels in the order B, G, R, A.
type Image struct {
	Width, Height, Channels int
	Pix                     []byte // Height * Width * Channels
}

// MaxPixels is the largest width times height that is decoded.
const MaxPixels = 1 << 28

// What one byte of a file can hold at most, in pixels; a forged header asks for more. Deflate reaches 1,032 bytes a byte; a progressive
// JPEG can say in six bits that 16 x 16 pixels are flat; BMPs have eight pixels a byte.
const (
	deflateRatio  = 1032
	jpegPixelsMax = 1024
	bmpPixelsMax  = 8
)

// Errors that Decode wraps.
var (
	// ErrFormat: the bytes are no image of a known format.
	ErrFormat = errors.New("not a JPEG, PNG or BMP image")
	// ErrTooLarge: the header claims more pixels than MaxPixels, or than the file can hold.
	ErrTooLarge = errors.New("image is too large")
	// ErrDepth: an image of 16 bits a channel, decoded Unchanged.
	ErrDepth = errors.New("Image data type must be unsigned byte, not 16 bits a channel; set force_color or force_gray")
)

// Decoder decodes one image after the other into buffers of its own. It is not safe for concurrent use: have one for each goroutine.
// The zero Decoder is ready; Close it when done.
type Decoder struct {
	jpeg    jpegDecoder
	img     Image
	scratch Image // before a rotation, or before CMYK is converted
	resize  resizer
}

// Decode decodes one image. The result stays valid until the next call of Decode.
func (d *Decoder) Decode(data []byte, mode Mode) (*Image, error) {
	switch format(data) {
	case "JPEG":
		return d.decodeJPEG(data, mode)
	case "PNG":
		return d.decodePNG(data, mode)
	case "BMP":
		return d.decodeBMP(data, mode)
	case "":
		return nil, fmt.Errorf("%w (%d bytes)", ErrFormat, len(data))
	}
	return nil, fmt.Errorf("%w: %s is not supported; convert it to PNG or JPEG", ErrFormat, format(data))
}

// Close frees what the decoder holds outside of Go's memory. The decoder may be used again afterwards.
func (d *Decoder) Close() { d.jpeg.close() }

var signatures = []struct{ name, prefix string }{
	{"JPEG", "\xff\xd8\xff"},
	{"PNG", "\x89PNG\r\n\x1a\n"},
	{"BMP", "BM"},
	{"GIF", "GIF8"},
	{"TIFF", "II*\x00"},
	{"TIFF", "MM\x00*"},
}

// format names the format that the first bytes promise, or "".
func format(data []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(data, []byte(s.prefix)) {
			return s.name
		}
	}
	if len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" {
		return "WebP"
	}
	return ""
}

// checkSize refuses dimensions that a file of n bytes cannot have, where a byte holds perByte pixels or fewer.
func checkSize(width, height, n, perByte int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("image is %d x %d pixels", width, height)
	}
	pixels := int64(width) * int64(height)
	if pixels > MaxPixels || pixels/int64(perByte) > int64(n) {
		return fmt.Errorf("%w: its header claims %d x %d pixels in a file of %d bytes", ErrTooLarge, width, height, n)
	}
	return nil
}

// reset gives img these dimensions and reuses its memory where it is large enough.
func (img *Image) reset(width, height, channels int) {
	img.Width, img.Height, img.Channels = width, height, channels
	n := width * height * channels
	if cap(img.Pix) < n {
		img.Pix = make([]byte, n)
	}
	img.Pix = img.Pix[:n]
}
