package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/internal/sharedtest"
)

// SqueezeNet on the photographs gives real Caffe's log: every batch, every mean.
func TestSqueezeNet(t *testing.T) {
	dir := sharedtest.Dir(t, "models")
	want, err := os.ReadFile(filepath.Join(dir, "squeezenet_v1.0", "test.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	code, _, got := call("caffe", "test", "-model", "squeezenet_v1.0/test.prototxt", "-weights", "squeezenet_v1.0/weights.caffemodel", "-iterations", "7")
	if code != 0 {
		t.Fatal(last(got, 1000))
	}
	// That log was written by glog 0.5, which has the year in its prefix.
	year := regexp.MustCompile(`(?m)^([IWEF])\d{4}(\d{4} )`)
	ours := slices.DeleteFunc(parseLog(got), func(l logLine) bool { return l.file != "caffe.cpp" }) // it has only the tool's lines
	compareLogs(t, &cliCase{Name: "squeezenet"}, ours, parseLog(year.ReplaceAllString(string(want), "$1$2")))
	if n := strings.Count(got, "] Batch "); n != 14 {
		t.Errorf("%d scores of batches, want 14", n)
	}
}

// Several weights are read in order: the later ones win.
func TestSeveralWeights(t *testing.T) {
	t.Chdir(t.TempDir())
	copyTree(t, filepath.Join(golden, "solvers"), ".")
	mean := regexp.MustCompile(`caffe.cpp:309\] Loss: (\S+)`)
	loss := func(weights string) string {
		code, _, log := call("caffe", "test", "-model", "net.prototxt", "-iterations", "2", "-engine", "ref", "-weights", weights)
		m := mean.FindStringSubmatch(log)
		if code != 0 || m == nil {
			t.Fatalf("exit %d: %s", code, last(log, 1000))
		}
		return m[1]
	}
	trained := "sgd_fixed/snap_iter_40.caffemodel"
	first, both := loss("init_net.caffemodel"), loss("init_net.caffemodel, "+trained)
	if want := loss(trained); both != want || first == want {
		t.Errorf("loss %s with initial weights, %s with trained ones behind them, want %s", first, both, want)
	}
	if _, err := hdf5.Library(); err == nil {
		if h5 := loss("sgd_snapshot_diff_hdf5/snap_iter_40.caffemodel.h5"); h5 == first {
			t.Errorf("weights of an HDF5 file changed nothing: loss %s", h5)
		}
	}
	code, _, log := call("caffe", "test", "-model", "net.prototxt", "-engine", "ref", "-weights", trained+",nope")
	if code != exitFatal || !strings.Contains(log, "Couldn't open nope") {
		t.Errorf("exit %d: %s", code, last(log, 500))
	}
}
