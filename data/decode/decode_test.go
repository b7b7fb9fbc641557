package decode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime"
	"strings"
	"testing"
)

// table reads testdata/opencv.txt: what OpenCV 4.6.0's imread and resize gave, as size and CRC-32 of the pixels.
func table(t testing.TB, prefix string, row func(fields []string)) {
	t.Helper()
	f, err := os.Open("testdata/opencv.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "resize") == (prefix == "resize") {
			row(strings.Fields(s.Text()))
			rows++
		}
	}
	if rows < 100 {
		t.Fatalf("testdata/opencv.txt has %d rows, want more", rows)
	}
}

var modes = map[string]Mode{"color": Color, "gray": Gray, "unchanged": Unchanged}

func TestPixelsEqualOpenCV(t *testing.T) {
	files := pictures(t)
	var d Decoder
	defer d.Close()
	table(t, "", func(row []string) {
		name, mode, want := row[0], row[1], strings.Join(row[2:], " ")
		data, ok := files[name]
		if !ok {
			t.Fatalf("no picture %s", name)
		}
		got := "refused"
		img, err := d.Decode(data, modes[mode])
		if err == nil {
			got = fmt.Sprintf("%dx%dx%d %08x", img.Width, img.Height, img.Channels, crc32.ChecksumIEEE(img.Pix))
		}
		if got != want {
			t.Errorf("%s, %s: got %s (%v), OpenCV has %s", name, mode, got, err, want)
		}
	})
}

func TestResizeEqualsOpenCV(t *testing.T) {
	var d Decoder
	table(t, "resize", func(row []string) {
		var state uint32
		var src Image
		var w, h int
		if _, err := fmt.Sscanf(strings.Join(row[1:4], " "), "%d %dx%dx%d %dx%d", &state, &src.Width, &src.Height, &src.Channels, &w, &h); err != nil {
			t.Fatal(err)
		}
		src.Pix = noise(src.Width*src.Height*src.Channels, state)
		out := d.Resize(&src, w, h)
		if got := fmt.Sprintf("%08x", crc32.ChecksumIEEE(out.Pix)); got != row[4] {
			t.Errorf("%s -> %s: got %s, OpenCV has %s", row[2], row[3], got, row[4])
		}
	})
}

func TestRefusesWithReason(t *testing.T) {
	files := pictures(t)
	huge := func(name string, at int, size []byte) []byte {
		b := bytes.Clone(files[name])
		copy(b[at:], size)
		if strings.HasSuffix(name, ".png") {
			binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		}
		return b
	}
	jpegSize := bytes.Index(files["c_444.jpg"], []byte{0xff, 0xc0}) + 5
	for _, c := range []struct {
		name string
		data []byte
		mode Mode
		want error
		text string
	}{
		{"empty", nil, Color, ErrFormat, "(0 bytes)"},
		{"text", []byte("hello, world"), Color, ErrFormat, "not a JPEG, PNG or BMP image (12 bytes)"},
		{"webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), Color, ErrFormat, "WebP is not supported; convert it to PNG or JPEG"},
		{"gif", []byte("GIF89a......"), Color, ErrFormat, "GIF is not supported"},
		{"deep", files["rgb48.png"], Unchanged, ErrDepth, "Image data type must be unsigned byte"},
		{"huge png", huge("rgb.png", 16, []byte{0, 1, 0, 0, 0, 1, 0, 0}), Color, ErrTooLarge, "65536 x 65536 pixels"},
		{"huge jpeg", huge("c_444.jpg", jpegSize, []byte{0xff, 0xff, 0xff, 0xff}), Color, ErrTooLarge, "65535 x 65535 pixels"},
		{"huge bmp", huge("rgb.bmp", 18, []byte{0, 0, 1, 0, 0, 0, 1, 0}), Color, ErrTooLarge, "65536 x 65536 pixels"},
		{"cut header", files["b_420.jpg"][:100], Color, nil, "truncated or corrupt"},
		{"no rows", huge("c_444.jpg", jpegSize, []byte{0, 0}), Color, nil, "321 x 0 pixels"},
	} {
		var d Decoder
		_, err := d.Decode(c.data, c.mode)
		if err == nil || !strings.Contains(err.Error(), c.text) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.text)
		}
		d.Close()
	}
}

// Decoders reuse what they have: after the first, a JPEG costs no memory of Go's.
func TestJPEGDoesNotAllocate(t *testing.T) {
	data := pictures(t)["b_420.jpg"]
	var d Decoder
	defer d.Close()
	if n := testing.AllocsPerRun(20, func() {
		img, err := d.Decode(data, Color)
		if err != nil {
			t.Fatal(err)
		}
		d.Resize(img, 64, 48)
	}); n > 0 {
		t.Errorf("%v allocations a picture, want none", n)
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range pictures(f) {
		f.Add(data, uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		var d Decoder
		defer d.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		img, err := d.Decode(data, Mode(mode%3))
		runtime.ReadMemStats(&after)
		// Besides ours, Go's decoders keep up to 8 bytes a pixel.
		if spent, limit := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+len(data)*deflateRatio*8*4); spent > limit {
			t.Errorf("%d bytes of input took %d bytes", len(data), spent)
		}
		if err == nil && len(img.Pix) != img.Width*img.Height*img.Channels {
			t.Errorf("%d bytes for %d x %d x %d", len(img.Pix), img.Width, img.Height, img.Channels)
		}
	})
}

func BenchmarkJPEG(b *testing.B) {
	data := pictures(b)["c_444.jpg"]
	var d Decoder
	defer d.Close()
	for b.Loop() {
		if _, err := d.Decode(data, Color); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResize(b *testing.B) {
	src := &Image{500, 375, 3, noise(500*375*3, 1)}
	var d Decoder
	for b.Loop() {
		d.Resize(src, 256, 256)
	}
}
