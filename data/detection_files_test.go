package data

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	caffe "github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// labelMap and nameSizes are files as SSD's scripts write them.
const (
	labelMap = `item { name: "none_of_the_above" label: 0 display_name: "background" }
item { name: "cat" label: 1 display_name: "cat" }
item { name: "18" label: 2 display_name: "dog" }
`
	nameSizes = "one 100 200\n000002 50 80\n3 10 10\n"
)

// warnings are those logged.
type warnings []string

func (*warnings) Infof(string, int, string, ...any) {}

func (w *warnings) Warningf(_ string, _ int, format string, args ...any) {
	*w = append(*w, fmt.Sprintf(format, args...))
}

// detectionFiles makes the files' writer in a folder of its own.
func detectionFiles(t *testing.T, save string, log Logger) (*DetectionFiles, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	check(t, os.WriteFile("labels", []byte(labelMap), 0o644))
	check(t, os.WriteFile("sizes", []byte(nameSizes), 0o644))
	var p caffepb.DetectionOutputParameter
	check(t, caffe.UnmarshalText("save", []byte(`save_output_param { output_directory: "a/out" `+save+" }"), &p))
	return CreateDetectionFiles(&p, log)
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	check(t, err)
	return string(text)
}

// twoItems are two detections in the first image and one, that leaves it, in the second.
var twoItems = []float32{
	0, 1, 0.9, 0.1, 0.2, 0.5, 0.6, // 20 20 100 60
	0, 2, 0.1234567, 0.0511, 0.5, 0.1, 0.7599, // 10.22 50, size 9.78 25.99
	1, 1, 1, -0.5, 0.25, 1.5, 0.5, // 0 12.5, size 80 12.5
}

func TestDetectionFiles(t *testing.T) {
	const files = `label_map_file: "labels" name_size_file: "sizes" num_test_image: 2 output_name_prefix: "p_" `
	for format, want := range map[string]map[string]string{
		"VOC":    {"p_cat.txt": "one 0.9 20 20 100 60\n000002 1 0 12 80 24\n", "p_18.txt": "one 0.123457 10 50 19 75\n"},
		"ILSVRC": {"p_.txt": "one 1 0.9 20 20 100 60\none 2 0.123457 10 50 19 75\n000002 1 1 0 12 80 24\n"},
		"COCO":   nil,
	} {
		f, err := detectionFiles(t, files+`output_format: "`+format+`"`, nil)
		check(t, err)
		check(t, f.Write([]engine.Shape{{1, 1, 3, 7}, {2}}, [][]float32{twoItems, {0, 0}}))
		check(t, f.Close())
		for name, text := range want {
			if got := fileText(t, "a/out/"+name); got != text {
				t.Errorf("%s: %s is\n%swant\n%s", format, name, got, text)
			}
		}
		if left, _ := os.ReadDir("a/out"); format != "COCO" && len(left) != len(want) {
			t.Errorf("%s: %d files, want %d", format, len(left), len(want))
		}
		if format != "COCO" {
			continue
		}
		var got []map[string]any
		check(t, json.Unmarshal([]byte(fileText(t, "a/out/p_.json")), &got))
		if want := []map[string]any{
			{"image_id": "one", "category_id": "cat", "bbox": []any{20., 20., 80., 40.}, "score": 0.9},
			{"image_id": "one", "category_id": 18., "bbox": []any{10.22, 50., 9.78, 25.99}, "score": 0.1234567},
			{"image_id": "000002", "category_id": "cat", "bbox": []any{0., 12.5, 80., 12.5}, "score": 1.},
		}; !reflect.DeepEqual(got, want) {
			t.Errorf("JSON is %v, want %v", got, want)
		}
	}
}

// TestDetectionRounds: the files are those of the last complete round, and what there is where none is complete.
func TestDetectionRounds(t *testing.T) {
	const files = `label_map_file: "labels" name_size_file: "sizes" num_test_image: 2 output_format: "VOC"`
	one := func(f *DetectionFiles, score float32) {
		t.Helper()
		check(t, f.Write([]engine.Shape{{1, 1, 1, 7}, {1}}, [][]float32{{0, 1, score, 0, 0, 1, 1}, {0}}))
	}
	log := new(warnings)
	f, err := detectionFiles(t, files, log)
	check(t, err)
	one(f, 0.1)
	check(t, f.Close())
	if got := fileText(t, "a/out/cat.txt"); got != "one 0.1 0 0 200 100\n" {
		t.Errorf("a round of one image is %q", got)
	}
	if len(*log) != 1 || !strings.Contains((*log)[0], "1 of 2 images were detected in") {
		t.Errorf("the log has %q", *log)
	}
	f, err = detectionFiles(t, files, nil)
	check(t, err)
	for i := range 5 {
		one(f, float32(i))
	}
	// Nothing found: a row of class −1 for each image.
	check(t, f.Write([]engine.Shape{{1, 1, 2, 7}, {2}}, [][]float32{{0, -1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1}, {0, 0}}))
	if got := fileText(t, "a/out/cat.txt"); got != "one 4 0 0 200 100\n" {
		t.Errorf("the third round is %q", got)
	}
	check(t, f.Close())
	if got := fileText(t, "a/out/cat.txt"); got != "one 4 0 0 200 100\n" {
		t.Errorf("after a round that is not complete the file is %q", got)
	}
}

// TestDetectionSizes: from parts of the input to pixels of an image of 80 × 50.
func TestDetectionSizes(t *testing.T) {
	image := imageSize{"x", 50, 80}
	box := [4]float32{0.25, 0.375, 0.5, 1.25}
	for param, want := range map[string][4]float32{
		"": {20, 18.75, 40, 50}, `resize_mode: WARP height: 9 width: 9`: {20, 18.75, 40, 50},
		// The image is 100 × 62.5 of 100 × 100: from 0.1875 to 0.8125.
		`resize_mode: FIT_LARGE_SIZE_AND_PAD height: 100 width: 100`: {20, 15, 40, 50},
		// 64 × 40 of 128 × 40: from 0.25 to 0.75.
		`resize_mode: FIT_LARGE_SIZE_AND_PAD height: 40 width: 128`:     {0, 18.75, 40, 50},
		`resize_mode: FIT_SMALL_SIZE height: 100 width: 100`:            {20, 18.75, 40, 50},
		`resize_mode: FIT_SMALL_SIZE height_scale: 40 width_scale: 200`: {50, 15, 80, 50},
	} {
		var resize *caffepb.ResizeParameter
		if param != "" {
			resize = new(caffepb.ResizeParameter)
			check(t, caffe.UnmarshalText("resize", []byte(param), resize))
		}
		got := pixels(box, image, resize)
		for i, v := range want {
			if d := got[i] - v; d > 1e-4 || d < -1e-4 {
				t.Errorf("%s: %v, want %v", param, got, want)
				break
			}
		}
	}
	beside := &caffepb.ResizeParameter{ResizeMode: caffepb.ResizeParameter_FIT_LARGE_SIZE_AND_PAD.Enum(), Height: new(uint32), Width: new(uint32)}
	*beside.Height, *beside.Width = 40, 128
	if got, want := pixels([4]float32{0, 0, 0.2, 1}, image, beside), [4]float32{0, 0, 16, 50}; got != want {
		t.Errorf("a box in the padding is %v, want %v", got, want)
	}
}

func TestDetectionFileErrors(t *testing.T) {
	const files = `label_map_file: "labels" name_size_file: "sizes" output_format: "VOC"`
	f, err := detectionFiles(t, files, nil)
	check(t, err)
	for want, rows := range map[string][]float32{
		"Cannot find label: 7 in the label map labels":  {0, 7, 1, 0, 0, 1, 1},
		"image one: row [0 1 NaN 0 0 1 1]":              {0, 1, float32(math.NaN()), 0, 0, 1, 1},
		"row [5 1 1 0 0 1 1] is of no item from 0 to 0": {5, 1, 1, 0, 0, 1, 1},
	} {
		f.done, f.found = 0, nil
		if err := f.Write([]engine.Shape{{1, 1, 1, 7}, {1}}, [][]float32{rows, {0}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v gives %v, want %q", rows, err, want)
		}
	}
	for _, c := range []struct{ save, labels, sizes, want string }{
		{`label_map_file: "no" name_size_file: "sizes"`, "", "", "Failed to read label map file: open no"},
		{`label_map_file: "labels" name_size_file: "no"`, "", "", "Failed to open name size file: open no"},
		{files + " num_test_image: 4", "", "", "num_test_image is 4, but sizes names 3 images"},
		{files + " num_test_image: 0", "", "", "num_test_image is 0"},
		{files, "item { name: \"a\"\nlabel: x }", "", "labels:2:8:"},
		{files, `item { label: 1 }`, "", "no name"},
		{files, `item { name: "a" label: 1 } item { name: "b" label: 1 }`, "", `1 is "a" and "b"`},
		{files, "", "a 1 2\nb 3 wide\n", `sizes:2: the width of b is "wide"`},
		{files, "", "a 1 2\nb 3", `sizes:2: the width of b is ""`},
		{files, "", "a 1 2\nb 3 0\n", `sizes:2: image b has height 3 and width 0`},
		{files, "", " \n", "names no image"},
	} {
		t.Chdir(t.TempDir())
		for name, text := range map[string]string{"labels": labelMap, "sizes": nameSizes} {
			if other := map[string]string{"labels": c.labels, "sizes": c.sizes}[name]; other != "" {
				text = other
			}
			check(t, os.WriteFile(name, []byte(text), 0o644))
		}
		var p caffepb.DetectionOutputParameter
		check(t, caffe.UnmarshalText("save", []byte(`save_output_param { output_directory: "out" `+c.save+" }"), &p))
		if _, err := CreateDetectionFiles(&p, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %q, %q: %v, want %s", c.save, c.labels, c.sizes, err, c.want)
		}
	}
}

// TestDetectionFilesUnnamed: without names of classes or images nothing is written, which is said.
func TestDetectionFilesUnnamed(t *testing.T) {
	for _, save := range []string{`label_map_file: "labels"`, `name_size_file: "sizes"`, `label_map_file: "" name_size_file: "sizes"`} {
		log := new(warnings)
		f, err := detectionFiles(t, save+` output_format: "VOC"`, log)
		check(t, err)
		check(t, f.Write([]engine.Shape{{1, 1, 3, 7}, {2}}, [][]float32{twoItems, {0, 0}}))
		check(t, f.Close())
		if _, err := os.Stat("a"); err == nil || len(*log) != 1 || !strings.Contains((*log)[0], "nothing is written to a/out") {
			t.Errorf("%s: log %v, %v", save, *log, err)
		}
	}
}
