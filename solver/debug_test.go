package solver

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// debugForward is what real Caffe logged of the first iteration of golden/solvers/sgd_fixed: blobs in
// the order of layers, versions of in-place layers by the same name, params by their index.
// debugBackward are the names of its gradients, in reverse order.
var debugForward = strings.Split(strings.TrimSpace(`
Layer data, top blob data data: 0.344092
Layer data, top blob label data: 2.1875
Layer conv1, top blob conv1 data: 0.311714
Layer conv1, param blob 0 data: 0.156415
Layer conv1, param blob 1 data: 0
Layer relu1, top blob conv1 data: 0.143532
Layer pool1, top blob pool1 data: 0.381358
Layer ip1, top blob ip1 data: 0.345642
Layer ip1, param blob 0 data: 0.060528
Layer ip1, param blob 1 data: 0
Layer relu2, top blob ip1 data: 0.177098
Layer ip2, top blob ip2 data: 0.260185
Layer ip2, param blob 0 data: 0.219334
Layer ip2, param blob 1 data: 0
Layer loss, top blob loss data: 1.61851`), "\n")

var debugBackward = strings.Split(strings.TrimSpace(`
Layer loss, bottom blob ip2 diff:
Layer ip2, bottom blob ip1 diff:
Layer ip2, param blob 0 diff:
Layer ip2, param blob 1 diff:
Layer relu2, bottom blob ip1 diff:
Layer ip1, bottom blob pool1 diff:
Layer ip1, param blob 0 diff:
Layer ip1, param blob 1 diff:
Layer pool1, bottom blob conv1 diff:
Layer relu1, bottom blob conv1 diff:
Layer conv1, param blob 0 diff:
Layer conv1, param blob 1 diff:`), "\n")

// TestDebugInfo: the train net is logged in display iterations, test nets with each batch.
func TestDebugInfo(t *testing.T) {
	t.Chdir(workCopy(t, "sgd_fixed"))
	text := `net: "net.prototxt" lr_policy: "fixed" base_lr: 0.02 random_seed: 7 display: 2 max_iter: 3 debug_info: true
snapshot_after_train: false test_iter: 2 test_interval: 9`
	log := new(lines)
	if _, err := solve(t, text, Options{Open: openData(nil), Log: log, Weights: []string{"init_net.caffemodel"}}); err != nil {
		t.Fatal(err)
	}
	forward, backward := log.of("net.cpp:593]", "net.cpp:605]"), log.of("net.cpp:621]", "net.cpp:632]")
	inTest := 2 * (len(debugForward) + 5) // two batches; Accuracy and two Splits of two tops each more than in training
	if got, want := len(forward), inTest+2*len(debugForward); got != want {
		t.Fatalf("%d lines of blobs, want %d:\n%s", got, want, strings.Join(forward, "\n"))
	}
	for i, line := range forward[inTest:][:len(debugForward)] {
		g, w := strings.Fields(line), strings.Fields("net.cpp:000] [Forward] "+debugForward[i])
		x, errX := strconv.ParseFloat(g[len(g)-1], 64)
		y, errY := strconv.ParseFloat(w[len(w)-1], 64)
		if !slices.Equal(g[1:len(g)-1], w[1:len(w)-1]) || errX != nil || errY != nil || math.Abs(x-y) > 1e-4*y {
			t.Errorf("got %s\nwant %s", line, debugForward[i])
		}
	}
	compareDebug(t, backward[:len(backward)/2], debugBackward)
	norms := log.of("net.cpp:721]")
	if len(norms) != 2 || !strings.HasPrefix(norms[0], "net.cpp:721] W     [Backward] All net params (data, diff): L1 norm = (") {
		t.Errorf("norms %q", norms)
	}
}

func compareDebug(t *testing.T, got, want []string) {
	t.Helper()
	names := make([]string, len(got))
	for i, line := range got {
		_, text, _ := strings.Cut(line, "] ")
		names[i] = strings.TrimPrefix(text[:strings.LastIndexByte(text, ' ')], "    [Backward] ")
	}
	if !slices.Equal(names, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
}
