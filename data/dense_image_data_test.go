package data_test

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err == nil {
		err = png.Encode(f, img)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writePair writes image NAME.png and label image NAME_labels.png, of which pixel (x, y) is first + 10·y + x, in the image in blue.
func writePair(t *testing.T, name string, width, height, first int) {
	t.Helper()
	img, labels := image.NewNRGBA(image.Rect(0, 0, width, height)), image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			v := uint8(first + 10*y + x)
			img.Set(x, y, color.NRGBA{R: 200, G: 100, B: v, A: 255})
			labels.Set(x, y, color.Gray{Y: v})
		}
	}
	writePNG(t, name+".png", img)
	writePNG(t, name+"_labels.png", labels)
}

func writeList(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile("list.txt", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const (
	dense = `layer { name: "d" type: "DenseImageData" top: "data" top: "label" dense_image_data_param { source: "list.txt" batch_size: 2 root_folder: "./" `
	pairs = "a.png a_labels.png\n\n  b.png\tb_labels.png \nc.png c_labels.png"
)

func densePairs(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for i, name := range []string{"a", "b", "c"} {
		writePair(t, name, 4, 3, 50*i)
	}
	writeList(t, pairs)
}

// Images come with their labels, in the list's order: labels as they are, of the image the mean taken and the scale applied.
func TestDenseImages(t *testing.T) {
	densePairs(t)
	log := new(lines)
	l := mustOpen(t, dense+`mean_file: "m" } transform_param { mean_value: 10 mean_value: 20 mean_value: 30 scale: 0.5 } }`, data.Options{Log: log})
	for _, first := range [][2]float32{{0, 50}, {100, 0}} {
		b := nextBatch(t, l)
		if !slices.Equal(b[0].Shape, []int{2, 3, 3, 4}) || !slices.Equal(b[1].Shape, []int{2, 1, 3, 4}) {
			t.Fatalf("shapes are %v and %v", b[0].Shape, b[1].Shape)
		}
		for i, label := range b[1].Data {
			n, pixel := i/12, i%12
			want := first[n] + float32(10*(pixel/4)+pixel%4)
			blue, green, red := b[0].Data[n*36+pixel], b[0].Data[n*36+12+pixel], b[0].Data[n*36+24+pixel]
			if label != want || blue != (want-10)/2 || green != 40 || red != 85 {
				t.Fatalf("item %d, pixel %d: label %g, want %g; B, G, R are %g, %g, %g", n, pixel, label, want, blue, green, red)
			}
		}
	}
	for _, want := range []string{"W dense_image_data_param.mean_file is not used", "A total of 3 examples.", "output data size: 2,3,3,4"} {
		if !strings.Contains(log.text(), want) {
			t.Errorf("the log lacks %q: %s", want, log.text())
		}
	}
}

// Whatever is drawn, image and labels stay together. Mirrors and crops occur, and crops in tests too.
func TestDenseImagesMoveTogether(t *testing.T) {
	densePairs(t)
	for _, phase := range []caffepb.Phase{caffepb.Phase_TRAIN, caffepb.Phase_TEST} {
		l := mustOpen(t, dense+`mirror: true crop_height: 2 crop_width: 3 shuffle: true rand_skip: 2 } }`, data.Options{Phase: phase, Random: rng.New(3).Uint32})
		seen := map[[4]int]bool{} // image, row, column, mirrored
		for _, b := range batches(t, l, 150) {
			for n := range 2 {
				labels, blue := b[1].Data[6*n:][:6], b[0].Data[18*n:][:6]
				if !slices.Equal(labels, blue) {
					t.Fatalf("labels %v, image %v", labels, blue)
				}
				step, corner, mirrored := labels[1]-labels[0], int(min(labels[0], labels[2])), 0
				if step < 0 {
					mirrored = 1
				}
				if step*step != 1 || labels[3] != labels[0]+10 {
					t.Fatalf("labels are %v", labels)
				}
				seen[[4]int{corner / 50, corner % 50 / 10, corner % 10, mirrored}] = true
			}
		}
		if len(seen) != 3*2*2*2 {
			t.Errorf("%v: %d of 24 crops occur: %v", phase, len(seen), seen)
		}
	}
}

// Images are resized bilinearly, labels to the nearest pixel: column x is column ⌊4x/6⌋, row y row ⌊3y/2⌋.
func TestDenseImagesResized(t *testing.T) {
	densePairs(t)
	b := nextBatch(t, mustOpen(t, dense+`new_height: 2 new_width: 6 is_color: false } }`, data.Options{}))
	want := []float32{0, 0, 1, 2, 2, 3, 10, 10, 11, 12, 12, 13}
	if !slices.Equal(b[0].Shape, []int{2, 1, 2, 6}) || !slices.Equal(b[1].Shape, []int{2, 1, 2, 6}) || !slices.Equal(b[1].Data[:12], want) {
		t.Errorf("shapes %v and %v, labels %v, want %v", b[0].Shape, b[1].Shape, b[1].Data[:12], want)
	}
}

// Batches of one may have any size; a run that is cut goes on as one that is not.
func TestDenseImagesResume(t *testing.T) {
	densePairs(t)
	writePair(t, "b", 5, 4, 50)
	text := strings.Replace(dense, "batch_size: 2", "batch_size: 1", 1) + "mirror: true shuffle: true } }"
	want := batches(t, mustOpen(t, text, data.Options{Random: rng.New(5).Uint32}), 9)
	l := mustOpen(t, text, data.Options{Random: rng.New(5).Uint32})
	batches(t, l, 4)
	state, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	other := mustOpen(t, text, data.Options{Random: rng.New(7).Uint32})
	if err := other.Restore(state); err != nil {
		t.Fatal(err)
	}
	if got := batches(t, other, 5); !reflect.DeepEqual(got, want[4:]) {
		t.Error("the run goes on differently")
	}
}

func TestDenseImageErrors(t *testing.T) {
	densePairs(t)
	writePair(t, "wide", 5, 3, 0)
	for _, c := range []struct{ list, param, want string }{
		{"a.png a_labels.png\nb.png\n", "} }", "list.txt:2: 1 paths, want that of an image and that of its labels"},
		{"a.png a_labels.png 3\n", "} }", "list.txt:1: 3 paths"},
		{"\n", "} }", "list.txt: File is empty"},
		{"none.png a_labels.png\n", "} }", "list.txt:1: Could not load ./none.png: no such file"},
		{"a.png none.png\n", "} }", "list.txt:1: Could not load ./none.png: no such file"},
		{"a.png list.txt\n", "} }", "list.txt:1: Could not load ./list.txt: not a JPEG, PNG or BMP image"},
		{"a.png wide_labels.png\n", "} }", "list.txt:1: Input and label image heights and widths must match: ./wide_labels.png is 3 x 5, its image 3 x 4"},
		{"a.png a_labels.png\n", "crop_height: 4 crop_width: 2 } }", "list.txt:1: crop_height 4 or crop_width 2 is larger than the image"},
		{"a.png a_labels.png\n", "crop_height: 2 } }", "crop_height and crop_width to be set at the same time"},
		{"a.png a_labels.png\n", "new_height: 2 } }", "new_height and new_width to be set at the same time"},
		{"a.png a_labels.png\n", "new_height: 100000 new_width: 100000 } }", "new_height and new_width are 100000 and 100000: more than"},
		{"a.png a_labels.png\n", "rand_skip: 2 } }", ""},
		{"a.png a_labels.png\n", "} transform_param { mirror: true } }", "mirror and crop_size would leave the labels as they are"},
	} {
		writeList(t, c.list)
		l, err := open(layer(t, dense+c.param), data.Options{})
		if err == nil {
			l.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q %s: %v, want %s", c.list, c.param, err, c.want)
		}
	}
	writeList(t, "a.png a_labels.png\nwide.png wide_labels.png\n")
	l := mustOpen(t, dense+"} }", data.Options{})
	if _, err := l.Shapes(); err != nil {
		t.Fatal(err)
	}
	if err := l.Next(make([]float32, 72), make([]float32, 24)); err == nil || !strings.Contains(err.Error(), "list.txt:2: is 3 x 3 x 5") {
		t.Errorf("a batch of two sizes: %v", err)
	}
}
