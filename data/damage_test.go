package data_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/internal/damagetest"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// readOnce opens a layer and reads one batch of at most a million values. Errors name the source.
func readOnce(t testing.TB, name string, p *caffepb.LayerParameter, source string) error {
	t.Helper()
	err := oneBatch(p)
	if err != nil && !strings.Contains(err.Error(), source) {
		t.Errorf("%s: the error does not name %s: %v", name, source, err)
	}
	return err
}

func oneBatch(p *caffepb.LayerParameter) error {
	l, err := open(p, data.Options{Phase: caffepb.Phase_TEST, Workers: 1})
	if err != nil {
		return err
	}
	defer l.Close()
	shapes, err := l.Shapes()
	if err != nil {
		return err
	}
	if shapes[0].Count() > 1<<20 {
		return nil
	}
	return l.Next(make([]float32, shapes[0].Count()), make([]float32, shapes[1].Count()))
}

// databaseOf makes an LMDB of one record.
func databaseOf(t testing.TB, value []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	w, err := backend(t, "LMDB").Create(path, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Put("00000000", value); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// records are values that a database has: raw, floats, and encoded.
func records(t testing.TB) [][]byte {
	t.Helper()
	jpeg, err := os.ReadFile(filepath.Join(goldenFolder(t), "images", "d_gray.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, d := range []*caffepb.Datum{
		{Channels: proto.Int32(3), Height: proto.Int32(4), Width: proto.Int32(5), Data: make([]byte, 60), Label: proto.Int32(3)},
		{Channels: proto.Int32(1), Height: proto.Int32(2), Width: proto.Int32(2), FloatData: []float32{1, 2, 3, 4}},
		{Data: jpeg, Encoded: proto.Bool(true), Label: proto.Int32(1)},
	} {
		b, err := proto.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

const lmdbLayer = `layer { type: "Data" top: "data" top: "label" data_param { source: %q batch_size: 2 backend: LMDB prefetch: 1 } transform_param { %s } }`

// A record with any damage is an error that names the database and the record, or other pixels.
func TestDamagedRecords(t *testing.T) {
	for i, whole := range records(t) {
		failed := 0
		damagetest.Each(t, whole, 60, func(name string, b []byte) {
			path := databaseOf(t, b)
			damagetest.Within(t, name, 64<<20, func() {
				err := readOnce(t, name, layer(t, fmt.Sprintf(lmdbLayer, path, "")), path)
				if err != nil && !strings.Contains(err.Error(), `record "00000000"`) {
					t.Errorf("%s: the error does not name the record: %v", name, err)
				}
				if err != nil {
					failed++
				}
			})
		})
		if failed < 20 {
			t.Errorf("record %d: %d damages were found, want more", i, failed)
		}
	}
}

// A mean image with any damage is an error that names it, or another mean.
func TestDamagedMean(t *testing.T) {
	whole, err := proto.Marshal(&caffepb.BlobProto{
		Shape: &caffepb.BlobShape{Dim: []int64{1, 3, 4, 5}}, Data: make([]float32, 60),
	})
	if err != nil {
		t.Fatal(err)
	}
	mean := filepath.Join(t.TempDir(), "mean.binaryproto")
	p := layer(t, fmt.Sprintf(lmdbLayer, databaseOf(t, records(t)[0]), fmt.Sprintf("mean_file: %q", mean)))
	damagetest.Each(t, whole, len(whole), func(name string, b []byte) {
		if err := os.WriteFile(mean, b, 0o644); err != nil {
			t.Fatal(err)
		}
		damagetest.Within(t, name, 8<<20, func() {
			if err := readOnce(t, name, p, mean); err == nil && len(b) < len(whole) {
				t.Errorf("%s: no error", name)
			}
		})
	})
}

// FuzzRecord: whatever a record of a database is, with a mean image or without, it becomes a batch or an error.
func FuzzRecord(f *testing.F) {
	for _, b := range records(f) {
		f.Add(b, []byte(nil))
		f.Add(b, []byte("\n\x08\x01\x03\x04\x05"))
	}
	mean := filepath.Join(f.TempDir(), "mean.binaryproto")
	f.Fuzz(func(t *testing.T, value, blob []byte) {
		path := databaseOf(t, value)
		transform := ""
		if len(blob) > 0 {
			if err := os.WriteFile(mean, blob, 0o644); err != nil {
				t.Fatal(err)
			}
			transform = fmt.Sprintf("mean_file: %q", mean)
		}
		// Deflate makes 1,032 bytes of one, and a batch has floats.
		limit := uint64(32<<20 + (len(value)+len(blob))*1032*32)
		damagetest.Within(t, "record", limit, func() {
			err := oneBatch(layer(t, fmt.Sprintf(lmdbLayer, path, transform)))
			if err != nil && !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), mean) {
				t.Errorf("the error names neither the database nor the mean image: %v", err)
			}
		})
	})
}

// FuzzImageList: whatever a list says, one image is read or an error names the list.
func FuzzImageList(f *testing.F) {
	f.Add([]byte("a_rgb.png 0\nb_420.jpg 1\n"))
	f.Add([]byte("../list.txt 3\r\n. 1\n"))
	images := filepath.Join(goldenFolder(f), "images") + "/"
	list := filepath.Join(f.TempDir(), "list.txt")
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Contains(text, []byte("/dev")) || bytes.Contains(text, []byte("/proc")) {
			t.Skip("devices")
		}
		if err := os.WriteFile(list, text, 0o644); err != nil {
			t.Fatal(err)
		}
		p := layer(t, fmt.Sprintf(`layer { type: "ImageData" top: "data" top: "label" image_data_param { source: %q root_folder: %q batch_size: 2 new_height: 8 new_width: 8 } }`, list, images))
		damagetest.Within(t, "list", 64<<20+uint64(len(text))*64, func() { _ = readOnce(t, "list", p, list) })
	})
}
