package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
)

// noise is bytes of a linear congruential generator: the pictures that OpenCV was asked about are made of it.
func noise(n int, state uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state >> 24)
	}
	return b
}

// pictures are files of every kind by name: those of golden/data and testdata, and others made here.
func pictures(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"../../testdata/golden/data/images/*", "testdata/*.jpg"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no pictures at %s", pattern)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = b
		}
	}
	addPNGs(t, files)
	addBMPs(t, files)
	addJPEGs(files)
	return files
}

var bounds = image.Rect(0, 0, 37, 23)

func noisyNRGBA() *image.NRGBA {
	m := image.NewNRGBA(bounds)
	copy(m.Pix, noise(len(m.Pix), 1))
	return m
}

func noisyRGBA() *image.RGBA {
	m := image.NewRGBA(bounds)
	copy(m.Pix, noise(len(m.Pix), 2))
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}

func noisyGray() *image.Gray {
	m := image.NewGray(bounds)
	copy(m.Pix, noise(len(m.Pix), 6))
	return m
}

func noisyPaletted(colors int) *image.Paletted {
	var palette color.Palette
	for i := range colors {
		c := noise(4, uint32(i*77+colors))
		if colors != 16 { // one of them has transparency
			c[3] = 255
		}
		palette = append(palette, color.NRGBA{c[0], c[1], c[2], c[3]})
	}
	m := image.NewPaletted(bounds, palette)
	for i, v := range noise(len(m.Pix), 7) {
		m.Pix[i] = v % byte(colors)
	}
	return m
}

func addPNGs(t testing.TB, files map[string][]byte) {
	encode := func(m image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	files["nrgba.png"] = encode(noisyNRGBA())
	rgb := encode(noisyRGBA())
	gamma := pngChunk("gAMA", "\x00\x00\xb1\x8f")
	files["rgb.png"] = rgb
	files["rgb_gama.png"] = afterIHDR(rgb, gamma)
	files["rgb_srgb.png"] = afterIHDR(rgb, pngChunk("sRGB", "\x00"))
	files["rgb_trns.png"] = afterIHDR(rgb, pngChunk("tRNS", "\x00\x01\x00\x02\x00\x03"))
	files["rgb_exif6.png"] = afterIHDR(rgb, pngChunk("eXIf",
		"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"))
	n64 := image.NewNRGBA64(bounds)
	copy(n64.Pix, noise(len(n64.Pix), 3))
	files["nrgba64.png"] = encode(n64)
	r64 := image.NewRGBA64(bounds)
	copy(r64.Pix, noise(len(r64.Pix), 4))
	for i := 6; i < len(r64.Pix); i += 8 {
		r64.Pix[i], r64.Pix[i+1] = 255, 255
	}
	files["rgb48.png"] = encode(r64)
	g16 := image.NewGray16(bounds)
	copy(g16.Pix, noise(len(g16.Pix), 5))
	files["gray16.png"] = encode(g16)
	files["gray.png"] = encode(noisyGray())
	files["gray_gama.png"] = afterIHDR(files["gray.png"], gamma)
	files["gray_trns.png"] = afterIHDR(files["gray.png"], pngChunk("tRNS", "\x00\x07"))
	for _, n := range []int{2, 4, 16, 200} {
		files[fmt.Sprintf("pal%d.png", n)] = encode(noisyPaletted(n))
	}
	files["trunc.png"] = rgb[:len(rgb)*2/3]
}

func addBMPs(t testing.TB, files map[string][]byte) {
	for name, m := range map[string]image.Image{
		"pal.bmp": noisyPaletted(200), "rgb.bmp": noisyRGBA(), "nrgba.bmp": noisyNRGBA(), "gray.bmp": noisyGray(),
	} {
		var b bytes.Buffer
		if err := bmp.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
}

func addJPEGs(files map[string][]byte) {
	jpeg, progressive := files["b_420.jpg"], files["f_progressive.jpg"]
	for o := byte(1); o <= 9; o++ {
		tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(o) + "\x00\x00\x00\x00\x00\x00")
		files[fmt.Sprintf("exif%d.jpg", o)] = withExif(jpeg, tiff)
	}
	files["trunc.jpg"] = jpeg[:len(jpeg)*2/3]
	files["noeoi.jpg"] = jpeg[:len(jpeg)-2]
	files["prog_trunc.jpg"] = progressive[:len(progressive)*2/3]
}

func withExif(jpeg, tiff []byte) []byte {
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, jpeg[:2]...)
	out = append(out, 0xff, 0xe1, 0, byte(len(body)+2))
	return append(append(out, body...), jpeg[2:]...)
}

func pngChunk(kind, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func afterIHDR(file, chunk []byte) []byte {
	const end = 33
	out := append([]byte{}, file[:end]...)
	return append(append(out, chunk...), file[end:]...)
}
