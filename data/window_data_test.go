package data

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
	"strings"
	"testing"

	protobuf "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writePNG makes an image whose channels B, G, R have the values that f gives.
func writePNG(t *testing.T, path string, width, height int, f func(c, x, y int) uint8) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{R: f(2, x, y), G: f(1, x, y), B: f(0, x, y), A: 255})
		}
	}
	out, err := os.Create(path)
	must(t, err)
	must(t, png.Encode(out, img))
	must(t, out.Close())
}

// gradient tells channels and places apart; flat does not, so that it stays the same when warped.
func gradient(c, x, y int) uint8 { return uint8(100*c + 10*y + x) }
func flat(_, _, _ int) uint8     { return 50 }

// windowLayer is a layer over two images, a.png (a gradient) and b.png (flat), both 8 x 8, in the present folder.
func windowLayer(t *testing.T, windows, params, transform string) *caffepb.LayerParameter {
	t.Helper()
	writePNG(t, "a.png", 8, 8, gradient)
	writePNG(t, "b.png", 8, 8, flat)
	must(t, os.WriteFile("windows.txt", []byte(windows), 0o644))
	var net caffepb.NetParameter
	text := fmt.Sprintf(`layer { type: "WindowData" top: "d" top: "l" window_data_param { source: "windows.txt" %s } transform_param { %s } }`, params, transform)
	must(t, proto.UnmarshalText("net", []byte(text), &net))
	return net.Layer[0]
}

// windowBatches are the next batches' pictures and labels.
func windowBatches(t *testing.T, l *Loader, n int) (pictures, labels []float32) {
	t.Helper()
	for range n {
		shapes, err := l.Shapes()
		must(t, err)
		d, lab := make([]float32, shapes[0].Count()), make([]float32, shapes[1].Count())
		must(t, l.Next(d, lab))
		pictures, labels = append(pictures, d...), append(labels, lab...)
	}
	return pictures, labels
}

func openWindowLoader(t *testing.T, p *caffepb.LayerParameter) *Loader {
	t.Helper()
	l, err := OpenWindowData(p, Options{Phase: caffepb.Phase_TRAIN, Random: func() uint32 { return 7 }})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return l
}

// Windows of the size of the picture are the image's pixels, less the mean and scaled: background before foreground, with labels.
func TestWindows(t *testing.T) {
	t.Chdir(t.TempDir())
	p := windowLayer(t, "# 0 a.png 3 8 8 3\n7 0.9 1 2 2 3\n3 0.1 4 4 5 5\n9 0.5 0 0 1 1\n# 1 b.png 3 8 8 0\n",
		"batch_size: 4 fg_fraction: 0.25 fg_threshold: 0.6 scale: 0.5", "crop_size: 2 mean_value: 1 mean_value: 2 mean_value: 3")
	l := openWindowLoader(t, p)
	shapes, err := l.Shapes()
	must(t, err)
	if !slices.EqualFunc(shapes, []engine.Shape{{4, 3, 2, 2}, {4}}, engine.Shape.Equal) {
		t.Errorf("shapes %v", shapes)
	}
	pictures, labels := windowBatches(t, l, 2)
	if !slices.Equal(labels, []float32{0, 0, 0, 7, 0, 0, 0, 7}) {
		t.Errorf("labels %v", labels)
	}
	for i, label := range labels {
		x1, y1 := 4, 4 // what has an overlap of 0.5 is neither
		if label == 7 {
			x1, y1 = 1, 2
		}
		for j, v := range pictures[i*12 : (i+1)*12] {
			c, y, x := j/4, j/2%2, j%2
			if want := (float32(gradient(c, x1+x, y1+y)) - float32(c+1)) * 0.5; v != want {
				t.Fatalf("window %d: element %d is %g, want %g", i, j, v, want)
			}
		}
	}
}

// A window at the corner with context: the region is −1 to 3, of which 0 to 3 is inside; 4 of 5 pixels become 3 of 4, and the rest is 0,
// on the other side where mirrored. Around a square one lies nothing.
func TestWindowContext(t *testing.T) {
	for _, c := range []struct {
		window, params string
		mirror         bool
		left, top      int // of the 3 x 3 part; 4 x 4 where negative
	}{
		{"0 0 1 1", "context_pad: 1", false, 1, 1},
		{"0 0 1 1", "context_pad: 1", true, 0, 1},
		{"2 3 3 6", `crop_mode: "square"`, false, -1, -1},
	} {
		t.Run(c.window+c.params, func(t *testing.T) {
			t.Chdir(t.TempDir())
			transform := fmt.Sprintf("crop_size: 4 mirror: %v", c.mirror)
			p := windowLayer(t, "# 0 a.png 3 8 8 0\n# 1 b.png 3 8 8 2\n1 1 "+c.window+"\n0 0 "+c.window, "batch_size: 16 "+c.params, transform)
			pictures, _ := windowBatches(t, openWindowLoader(t, p), 1)
			seen := map[bool]bool{}
			for picture := range slices.Chunk(pictures, 48) {
				plain := slices.Equal(picture[:16], expectPart(max(c.left, 0), max(c.top, 0), c.left < 0))
				other := slices.Equal(picture[:16], expectPart(1-max(c.left, 0), max(c.top, 0), false))
				if !plain && !(c.mirror && other) {
					t.Fatalf("got %v", picture[:16])
				}
				seen[plain] = true
			}
			if len(seen) != 1 != c.mirror {
				t.Errorf("mirrored: %v", seen)
			}
		})
	}
}

// expectPart is a plane of 4 x 4 in which 3 x 3, or all, are 50.
func expectPart(left, top int, all bool) []float32 {
	plane := make([]float32, 16)
	for i := range plane {
		if x, y := i%4-left, i/4-top; all || x >= 0 && x < 3 && y >= 0 && y < 3 {
			plane[i] = 50
		}
	}
	return plane
}

// The mean image is read around its centre, at the place in the picture.
func TestWindowMeanFile(t *testing.T) {
	t.Chdir(t.TempDir())
	mean := make([]float32, 3*4*4)
	for i := range mean {
		mean[i] = float32(i)
	}
	data, err := protobuf.Marshal(proto.NewBlob([]int{1, 3, 4, 4}, mean))
	must(t, err)
	must(t, os.WriteFile("mean.binaryproto", data, 0o644))
	p := windowLayer(t, "# 0 b.png 3 8 8 2\n1 1 0 0 1 1\n0 0 0 0 1 1", "batch_size: 1", `crop_size: 2 mean_file: "mean.binaryproto"`)
	pictures, _ := windowBatches(t, openWindowLoader(t, p), 1)
	for i, v := range pictures {
		c, y, x := i/4, i/2%2, i%2
		if want := 50 - float32((c*4+y+1)*4+x+1); v != want {
			t.Errorf("element %d is %g, want %g", i, v, want)
		}
	}
}

// A restored loader goes on as one that was never stopped.
func TestWindowRestore(t *testing.T) {
	t.Chdir(t.TempDir())
	var file strings.Builder
	file.WriteString("# 0 a.png 3 8 8 40\n")
	for i := range 40 {
		fmt.Fprintf(&file, "%d %g %d %d %d %d\n", i+1, float64(i%2), i%6, i/7, i%6+2, i/7+2)
	}
	p := windowLayer(t, file.String(), "batch_size: 3", "crop_size: 3 mirror: true")
	whole, labels := windowBatches(t, openWindowLoader(t, p), 6)
	first := openWindowLoader(t, p)
	windowBatches(t, first, 3)
	state, err := first.State()
	must(t, err)
	second := openWindowLoader(t, p)
	windowBatches(t, second, 1)
	must(t, second.Restore(state))
	rest, restLabels := windowBatches(t, second, 3)
	if !slices.Equal(rest, whole[len(whole)/2:]) || !slices.Equal(restLabels, labels[len(labels)/2:]) {
		t.Error("a restored run differs")
	}
	if slices.Equal(whole[:81], whole[81:162]) {
		t.Error("two batches are equal")
	}
}

func TestWindowErrors(t *testing.T) {
	const good = "# 0 a.png 3 8 8 2\n1 1 0 0 1 1\n0 0 0 0 1 1\n"
	for _, c := range []struct{ windows, params, transform, want string }{
		{"", "batch_size: 1", "crop_size: 2", "Window file is empty"},
		{"a.png", "batch_size: 1", "crop_size: 2", `windows.txt:1: "a.png" begins an image, want #`},
		{"# 1 a.png 3 8 8 0", "batch_size: 1", "crop_size: 2", "windows.txt:1: image 1 comes where 0 is due"},
		{"# 0 a.png 1 8 8 0", "batch_size: 1", "crop_size: 2", "image a.png has 1 channels, want 3"},
		{"# 0 a.png 3 8 8 1\n1 x 0 0 1 1", "batch_size: 1", "crop_size: 2", `windows.txt:2: an overlap is "x", want a number`},
		{"# 0 a.png 3 8 8 2\n1 1 0 0 1 1\n1 1 0 0 1", "batch_size: 1", "crop_size: 2", `windows.txt:3: a corner is "", want a whole number`},
		{"# 0 a.png 3 8 8 1\n0 1 0 0 1 1", "batch_size: 1", "crop_size: 2", "a foreground window (overlap 1) has label 0"},
		{"# 0 a.png 3 8 8 1\n1 1 0 0 1 1", "batch_size: 1", "crop_size: 2", "windows.txt has no background window"},
		{"# 0 a.png 3 8 8 1\n1 0 0 0 1 1", "batch_size: 1", "crop_size: 2", "windows.txt has no foreground window"},
		{good, "batch_size: 0", "crop_size: 2", "Positive batch size required"},
		{good, "batch_size: 1", "", "transform_param.crop_size must be positive"},
		{good, "batch_size: 1 context_pad: 1", "crop_size: 2", "context_pad 1 on both sides leaves nothing of crop_size 2"},
		{good, "batch_size: 1 fg_fraction: 2", "crop_size: 2", "fg_fraction 2: want 0 to 1"},
		{good, "batch_size: 1", "crop_size: 2 mean_value: 1 mean_value: 2", "Specify either 1 mean_value or as many as channels: 3"},
		{good, `batch_size: 1 root_folder: "no/"`, "crop_size: 2", "windows.txt:3: Could not open or find file no/a.png"},
		{"# 0 a.png 3 8 8 2\n1 1 0 0 1 1\n0 0 7 7 8 8", "batch_size: 1", "crop_size: 2", "windows.txt:3: window 7 7 8 8 (x1, y1, x2, y2) lies outside of a.png, which is 8 x 8"},
		{"# 0 a.png 3 8 8 2\n1 1 0 0 1 1\n0 0 5 5 2 2", "batch_size: 1", "crop_size: 2", "lies outside of a.png"},
		{"# 0 a.png 3 8 8 2\n1 1 0 0 1 1\n0 0 20 20 21 21", "batch_size: 1 context_pad: 1", "crop_size: 4", "lies outside of a.png"},
	} {
		t.Chdir(t.TempDir())
		_, err := OpenWindowData(windowLayer(t, c.windows, c.params, c.transform), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %s: got %v, want %s", c.windows, c.params, err, c.want)
		}
	}
}

// Set up, the layer takes from the process's random stream what Caffe's takes: two numbers for a transformer that draws, one for the
// windows, one for the prefetch thread.
func TestWindowSeeds(t *testing.T) {
	t.Chdir(t.TempDir())
	p := windowLayer(t, "# 0 a.png 3 8 8 2\n1 1 0 0 1 1\n0 0 0 0 1 1\n", "batch_size: 1", "crop_size: 2")
	for phase, want := range map[caffepb.Phase]int{caffepb.Phase_TRAIN: 4, caffepb.Phase_TEST: 2} {
		drawn := 0
		l, err := OpenWindowData(p, Options{Phase: phase, Random: func() uint32 { drawn++; return 1 }})
		must(t, err)
		must(t, l.Close())
		if drawn != want {
			t.Errorf("%v: %d numbers, want %d", phase, drawn, want)
		}
	}
}
