package data_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// makeDB makes a database of n raw records of the given size and returns its path.
func makeDB(t testing.TB, backend string, n, channels, height, width int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	b, err := data.LookupBackend(backend)
	if err != nil {
		t.Fatal(err)
	}
	w, err := b.Create(path, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]byte, channels*height*width)
	for i := range n {
		for j := range pixels {
			pixels[j] = byte(i*31 + j*7 + j*j/255)
		}
		value, err := proto.Marshal(&caffepb.Datum{
			Channels: proto.Int32(int32(channels)), Height: proto.Int32(int32(height)), Width: proto.Int32(int32(width)),
			Data: pixels, Label: proto.Int32(int32(i % 10)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Put(fmt.Sprintf("%08d", i), value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// BenchmarkMNIST is one batch of LeNet's data layer.
func BenchmarkMNIST(b *testing.B) {
	path := makeDB(b, "LMDB", 1000, 1, 28, 28)
	l, err := data.OpenData(layer(b, fmt.Sprintf(`layer { type: "Data" top: "data" top: "label"
		data_param { source: %q backend: LMDB batch_size: 64 } transform_param { scale: 0.00390625 } }`, path)), data.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	pixels, labels := make([]float32, 64*28*28), make([]float32, 64)
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Next(pixels, labels); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImageData is one batch of 64 JPEG files of 256 pixels: decoded, resized, cropped and mirrored.
func BenchmarkImageData(b *testing.B) {
	dir := b.TempDir()
	var list bytes.Buffer
	for i := range 64 {
		img := image.NewRGBA(image.Rect(0, 0, 256, 256))
		for j := range img.Pix {
			img.Pix[j] = byte(j/1024 + j*i/64 + j*j%31)
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 90}); err != nil {
			b.Fatal(err)
		}
		name := fmt.Sprintf("%d.jpg", i)
		if err := os.WriteFile(filepath.Join(dir, name), file.Bytes(), 0o644); err != nil {
			b.Fatal(err)
		}
		fmt.Fprintln(&list, name, i)
	}
	if err := os.WriteFile(filepath.Join(dir, "list.txt"), list.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	l, err := data.OpenImageData(layer(b, fmt.Sprintf(`layer { type: "ImageData" top: "data" top: "label" transform_param { crop_size: 224 mirror: true }
		image_data_param { source: "%[1]s/list.txt" root_folder: "%[1]s/" batch_size: 64 new_height: 240 new_width: 240 } }`, dir)), data.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	pixels, labels := make([]float32, 64*3*224*224), make([]float32, 64)
	for b.Loop() {
		if err := l.Next(pixels, labels); err != nil {
			b.Fatal(err)
		}
	}
}
