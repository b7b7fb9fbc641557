package main

import (
	"os"
	"strings"
	"testing"
)

// Detections go to a file of each class: of two passes of two images the first three are a round.
func TestDetectionFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"labels.prototxt": `item { name: "none" label: 0 } item { name: "plate" label: 1 }`,
		"sizes.txt":       "a 40 100\nb 40 100\nc 8 16\n",
		"none.caffemodel": "\n\x01n",
		"net.prototxt": `
layer { name: "in" type: "DummyData" top: "image" top: "map" top: "loc" top: "conf"
  dummy_data_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } shape { dim: 2 dim: 1 dim: 1 dim: 1 } shape { dim: 2 dim: 4 } shape { dim: 2 dim: 2 }
    data_filler { value: 0 } data_filler { value: 0 } data_filler { value: 0 } data_filler { value: 0.75 } } }
layer { name: "prior" type: "PriorBox" bottom: "map" bottom: "image" top: "prior" prior_box_param { min_size: 4 } }
layer { name: "out" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior" top: "found"
  detection_output_param { num_classes: 2 save_output_param { output_directory: "results/voc" output_name_prefix: "det_" output_format: "VOC"
    label_map_file: "labels.prototxt" name_size_file: "sizes.txt" } } }
`} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, _, log := call("caffe", "test", "-model", "net.prototxt", "-weights", "none.caffemodel", "-iterations", "2", "-engine", "ref")
	if code != 0 || !strings.Contains(log, "1 of 3 images were detected in") {
		t.Fatalf("exit %d: %s", code, last(log, 2000))
	}
	// The default box is half as wide and high as the image, in its middle.
	const want = "a 0.75 25 10 75 30\nb 0.75 25 10 75 30\nc 0.75 4 2 12 6\n"
	if got, err := os.ReadFile("results/voc/det_plate.txt"); err != nil || string(got) != want {
		t.Errorf("the file is %q, %v, want %q", got, err, want)
	}
	if err := os.WriteFile("sizes.txt", []byte("a 40\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, log = call("caffe", "test", "-model", "net.prototxt", "-weights", "none.caffemodel", "-iterations", "2", "-engine", "ref")
	if code == 0 || !strings.Contains(log, `layer "out" (DetectionOutput): sizes.txt:2: the width of a is ""`) {
		t.Errorf("exit %d: %s", code, last(log, 2000))
	}
}
