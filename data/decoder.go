package data

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gocaffe/gocaffe/data/decode"
)

// MaxFileSize is the largest image file that is read.
const MaxFileSize = 1 << 30

// decoding says how records become pictures.
type decoding struct {
	source        string // name of the source, for errors
	mode          decode.Mode
	height, width int // to which images of a list are resized; 0 keeps their size
	windows       *windowing
	dense         bool // each record has a label image
}

// worker decodes one record after the other, in buffers of its own.
type worker struct {
	decoding
	decoder decode.Decoder
	masks   decode.Decoder // of label images
	datum   Datum
	file    []byte
	pic     picture
	part    decode.Image // a window's
	floats  []float32    // a window's picture
}

func (w *worker) close() {
	w.decoder.Close()
	w.masks.Close()
}

// open decodes a record. The picture is valid until the next call.
func (w *worker) open(rec *Record) (*picture, error) {
	var err error
	switch {
	case rec.cut != nil:
		err = w.openWindow(rec)
	case rec.Line > 0:
		err = w.openFile(rec)
	default:
		err = w.openDatum(rec)
	}
	if err != nil {
		return nil, w.place(rec, err)
	}
	return &w.pic, nil
}

// place says which record an error is about.
func (d *decoding) place(rec *Record, err error) error {
	if rec.Line > 0 {
		return fmt.Errorf("%s:%d: %w", d.source, rec.Line, err)
	}
	return fmt.Errorf("%s: record %q: %w", d.source, rec.Key, err)
}

func (w *worker) openFile(rec *Record) error {
	if err := w.readFile(rec.File); err != nil {
		return fmt.Errorf("Could not load %s: %w", rec.File, err)
	}
	img, err := w.decoder.Decode(w.file, w.mode)
	if err != nil {
		return fmt.Errorf("Could not load %s: %w", rec.File, err)
	}
	if w.height > 0 && w.width > 0 {
		img = w.decoder.Resize(img, w.width, w.height)
	}
	w.setImage(img, rec.Label)
	if w.dense {
		return w.openMask(rec.Mask)
	}
	return nil
}

// openMask decodes the label image of the picture.
func (w *worker) openMask(path string) error {
	if err := w.readFile(path); err != nil {
		return fmt.Errorf("Could not load %s: %w", path, err)
	}
	img, err := w.masks.Decode(w.file, decode.Gray)
	if err != nil {
		return fmt.Errorf("Could not load %s: %w", path, err)
	}
	if w.height > 0 && w.width > 0 {
		img = w.masks.ResizeNearest(img, w.width, w.height)
	}
	if img.Height != w.pic.height || img.Width != w.pic.width {
		return fmt.Errorf("Input and label image heights and widths must match: %s is %d x %d, its image %d x %d (height, width)",
			path, img.Height, img.Width, w.pic.height, w.pic.width)
	}
	w.pic.mask = img.Pix
	return nil
}

func (w *worker) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return errors.Unwrap(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	n := info.Size()
	if !info.Mode().IsRegular() || n > MaxFileSize {
		return fmt.Errorf("not a file of at most %d bytes", MaxFileSize)
	}
	if int64(cap(w.file)) < n {
		w.file = make([]byte, n)
	}
	w.file = w.file[:n]
	_, err = io.ReadFull(f, w.file)
	return err
}

func (w *worker) openDatum(rec *Record) error {
	d := &w.datum
	if err := d.Parse(rec.Value); err != nil {
		return err
	}
	if d.Encoded {
		img, err := w.decoder.Decode(d.Data, w.mode)
		if err != nil {
			return fmt.Errorf("Could not decode datum: %w", err)
		}
		w.setImage(img, d.Label)
		return nil
	}
	if err := d.check(); err != nil {
		return err
	}
	w.pic = picture{channels: int(d.Channels), height: int(d.Height), width: int(d.Width), label: d.Label}
	if len(d.Data) > 0 {
		w.pic.bytes = d.Data
	} else {
		w.pic.floats = d.FloatData
	}
	return nil
}

func (w *worker) setImage(img *decode.Image, label int32) {
	w.pic = picture{channels: img.Channels, height: img.Height, width: img.Width, bytes: img.Pix, interleaved: true, label: label}
}
