package data_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Errors say what is wrong, with the place and what to do.
func TestErrorsWhenOpened(t *testing.T) {
	dir := goldenFolder(t)
	t.Chdir(dir)
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "list.txt"), []byte("a_rgb.png 0\nnothere.jpg 1\nb_420.jpg\nc_444.jpg x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bad, "empty.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	db := func(source, more string) string {
		return fmt.Sprintf(`layer { type: "Data" top: "data" data_param { source: %q %s`, source, more)
	}
	images := func(source, more string) string {
		if !strings.Contains(more, "root_folder") {
			more = `root_folder: "images/" ` + more
		}
		return fmt.Sprintf(`layer { type: "ImageData" top: "data" top: "label" image_data_param { source: %q %s`, source, more)
	}
	for _, c := range []struct{ layer, want string }{
		{db("nope", `backend: LMDB batch_size: 2 } }`), "cannot open LMDB nope: No such file or directory: make it with convert_imageset"},
		{db("nope", `batch_size: 2 } }`), "Failed to open leveldb nope: No such file or directory: make it with convert_imageset -backend leveldb"},
		{db("lmdb_gray", `batch_size: 2 } }`), "it is an LMDB: set backend: LMDB"},
		{db("leveldb_resized", `backend: LMDB batch_size: 2 } }`), "it is a LevelDB: set data_param.backend to LEVELDB"},
		{db("list.txt", `backend: LMDB batch_size: 2 } }`), "list.txt: it is a file"},
		{db("images", `backend: LMDB batch_size: 2 } }`), "there is no data.mdb in it"},
		{db("lmdb_gray", `backend: LMDB prefetch: 0 batch_size: 1 } }`), "prefetch is 0; it must be from 1"},
		{db("lmdb_gray", `backend: LMDB batch_size: 0 } }`), "Positive batch size required"},
		{db("lmdb_gray", `backend: LMDB batch_size: 2000000000 } }`), "more than 2^31"},
		{db("lmdb_gray", `backend: LMDB batch_size: 2 } transform_param { crop_size: 1000 } }`),
			`lmdb_gray: record "00000000_a_rgb.png": crop_size 1000 is larger than the image, which is 1 x `},
		{db("lmdb_resized", `backend: LMDB batch_size: 2 } transform_param { mean_value: 1 mean_value: 2 } }`), "Specify either 1 mean_value or as many as channels: 3"},
		{db("lmdb_gray", `backend: LMDB batch_size: 2 } transform_param { mean_file: "mean.binaryproto" } }`),
			"mean_file mean.binaryproto is 3 x 64 x 80 (channels, height, width), the image before it is cropped is 1 x "},
		{db("lmdb_gray", `backend: LMDB batch_size: 2 } transform_param { mean_file: "no.binaryproto" } }`), "mean_file: File not found: no.binaryproto"},
		{db("lmdb_gray", `backend: LMDB batch_size: 2 } transform_param { mean_file: "list.txt" } }`), "list.txt"},
		{db("lmdb_gray", `backend: LMDB batch_size: 2 } transform_param { mean_file: "mean.binaryproto" mean_value: 3 } }`), "Cannot specify mean_file and mean_value at the same time"},
		{db("lmdb_gray", `backend: LMDB batch_size: 2 } transform_param { force_color: true force_gray: true } }`), "cannot set both force_color and force_gray"},
		{images("nope.txt", `} }`), "cannot read the image list: open nope.txt: no such file or directory"},
		{images(bad+"/empty.txt", `} }`), "empty.txt: File is empty"},
		{images(bad+"/list.txt", `} }`), `list.txt:3: no label after "b_420.jpg"`},
		{images(bad+"/list.txt", `} }`), `list.txt:4: label "x" of "c_444.jpg" is not an integer`},
		{images("list.txt", `new_height: 4 } }`), "requires new_height and new_width to be set at the same time"},
		{images("list.txt", `new_height: 400000 new_width: 400000 } }`), "is more than"},
		{images("list.txt", `root_folder: "imag/" } }`), "list.txt:1: Could not load imag/a_rgb.png: no such file or directory"},
		{images("list.txt", `root_folder: "/" } }`), "list.txt:1: Could not load /a_rgb.png"},
		{`layer { type: "Data" data_param { source: "lmdb_gray" batch_size: 1 backend: LMDB } }`, "1 or 2 tops (data, label), not 0"},
		{`layer { type: "ImageData" top: "data" image_data_param { source: "list.txt" } }`, "2 tops (data, label), not 1"},
	} {
		l, err := open(layer(t, c.layer), data.Options{})
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.layer, err, c.want)
		}
	}
}

// An error in a batch reaches Next, names the record, and stays.
func TestErrorsWhileReading(t *testing.T) {
	t.Chdir(goldenFolder(t))
	bad := t.TempDir()
	for name, text := range map[string]string{
		"missing.txt": "a_rgb.png 0\na_rgb.png 0\nnothere.jpg 1\nb_420.jpg 1\n",
		"broken.txt":  "a_rgb.png 0\n../list.txt 1\n",
		"folder.txt":  "a_rgb.png 0\n. 1\n",
	} {
		if err := os.WriteFile(filepath.Join(bad, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	images := func(list, more string) string {
		return fmt.Sprintf(`layer { type: "ImageData" top: "data" top: "label" image_data_param { source: %q root_folder: "images/" %s } }`,
			filepath.Join(bad, list), more)
	}
	short := writeDatums(t, &caffepb.Datum{Channels: proto.Int32(3), Height: proto.Int32(2), Width: proto.Int32(2), Data: make([]byte, 12)},
		&caffepb.Datum{Channels: proto.Int32(3), Height: proto.Int32(2), Width: proto.Int32(2), Data: make([]byte, 11)})
	undecodable := writeDatums(t, &caffepb.Datum{Channels: proto.Int32(1), Height: proto.Int32(1), Width: proto.Int32(1), FloatData: []float32{2}},
		&caffepb.Datum{Data: []byte("JFIF"), Encoded: proto.Bool(true)})
	db := func(path string, batch int) string {
		return fmt.Sprintf(`layer { type: "Data" top: "data" top: "label" data_param { source: %q backend: LMDB batch_size: %d } }`, path, batch)
	}
	for _, c := range []struct {
		layer string
		good  int // batches before the bad one
		want  string
	}{
		{images("missing.txt", "batch_size: 2"), 1, "missing.txt:3: Could not load images/nothere.jpg: no such file or directory"},
		{images("broken.txt", ""), 1, "broken.txt:2: Could not load images/../list.txt: not a JPEG, PNG or BMP image"},
		{images("folder.txt", ""), 1, "folder.txt:2: Could not load images/.: not a file"},
		{`layer { type: "ImageData" top: "data" top: "label" image_data_param { source: "list.txt" root_folder: "images/" batch_size: 3 } }`, 0,
			"list.txt:2: is 3 x 160 x 200 (channels, height, width) where the first record of its batch is 3 x 135 x 180"},
		{db(short, 1), 1, `record "00000001": Incorrect data field size 11: the Datum is 3 x 2 x 2`},
		{db(undecodable, 2), 0, `record "00000001": Could not decode datum: not a JPEG, PNG or BMP image (4 bytes)`},
	} {
		for _, workers := range []int{1, 4} {
			l, err := open(layer(t, c.layer), data.Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			batches(t, l, c.good)
			for range 2 {
				if err := tryNext(l); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s\n got %v\nwant %s", c.layer, err, c.want)
				}
			}
			l.Close()
		}
	}
}

func tryNext(l *data.Loader) error {
	shapes, err := l.Shapes()
	if err != nil {
		return err
	}
	return l.Next(make([]float32, shapes[0].Count()), make([]float32, shapes[1].Count()))
}

func writeDatums(t testing.TB, datums ...*caffepb.Datum) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	b, err := data.LookupBackend("LMDB")
	if err != nil {
		t.Fatal(err)
	}
	w, err := b.Create(path, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range datums {
		value, err := proto.Marshal(d)
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

// Compat reads bad lines as BVLC Caffe does; unreadable images are errors there too.
func TestCompatList(t *testing.T) {
	t.Chdir(goldenFolder(t))
	list := filepath.Join(t.TempDir(), "l.txt")
	if err := os.WriteFile(list, []byte("a_rgb.png x\na_rgb.png 2.7\na_rgb.png\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, fmt.Sprintf(`layer { type: "ImageData" top: "data" top: "label"
		image_data_param { source: %q root_folder: "images/" batch_size: 3 } }`, list), data.Options{Compat: true})
	if got := nextBatch(t, l)[1].Data; got[0] != 0 || got[1] != 2 || got[2] != 0 {
		t.Errorf("labels %v, want 0 2 0", got)
	}
	_, err := open(layer(t, `layer { type: "ImageData" top: "data" top: "label" image_data_param { source: "nope.txt" } }`), data.Options{Compat: true})
	if err == nil || !strings.Contains(err.Error(), "File is empty") {
		t.Errorf("missing list: %v, want File is empty", err)
	}
}

func TestBackends(t *testing.T) {
	if _, err := data.LookupBackend("rocksdb"); err == nil || !strings.Contains(err.Error(), `unknown database backend "rocksdb" (known: LEVELDB, LMDB)`) {
		t.Errorf("got %v", err)
	}
	if b, err := data.LookupBackend("lmdb"); err != nil || b.Name != "LMDB" {
		t.Errorf("lmdb: %v, %v", b.Name, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("registering a backend twice is no error")
		}
	}()
	data.Register(data.Backend{Name: "LMDB"})
}
