package solver

import (
	"fmt"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/data/lmdb"
	"github.com/gocaffe/gocaffe/data/mnist"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// TestBF16Accuracy trains LeNet on MNIST and CIFAR-10's quick net on pictures made here,
// as it is and with the 3×3 kernels that Winograd's algorithm is for, each to where the
// rate has dropped, and holds the accuracy in bf16 against that in fp32.
func TestBF16Accuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two nets twice")
	}
	examples, err := filepath.Abs("../examples")
	if err != nil {
		t.Fatal(err)
	}
	narrow, ok := enginetest.DevicesAt(t, engine.PrecisionBF16)["cpu"]
	if !ok {
		t.Skip("ref takes minutes for this")
	}
	wide := enginetest.Devices(t)["cpu"]
	digits, err := mnist.Find()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, model, solver string
		make                func(t *testing.T, digits string)
		learnt              float64 // what fp32 must reach for the comparison to mean something
		change              []string
	}{
		{"LeNet", "mnist/lenet_train_test.prototxt", lenetSolver, makeDigits, 0.95, nil},
		{"CIFAR-10 quick", "cifar10/quick_train_test.prototxt", quickSolver, makePictures, 0.8, nil},
		{"CIFAR-10 quick, 3x3", "cifar10/quick_train_test.prototxt", quickSolver, makePictures, 0.8,
			[]string{"kernel_size: 5 pad: 2", "kernel_size: 3 pad: 1", "num_output: 32", "num_output: 64"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			c.make(t, digits)
			want := accuracy(t, wide, filepath.Join(examples, c.model), c.solver, c.change)
			got := accuracy(t, narrow, filepath.Join(examples, c.model), c.solver, c.change)
			if !(want >= c.learnt) || math.Abs(got-want) > 0.003 {
				t.Errorf("accuracy %.4f in bf16, %.4f in fp32", got, want)
			}
			t.Logf("accuracy %.4f in bf16, %.4f in fp32", got, want)
		})
	}
}

const lenetSolver = `net: "net.prototxt" base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005 lr_policy: "multistep" gamma: 0.1 stepvalue: 300
	max_iter: 400 test_iter: 100 test_interval: 400 test_initialization: false snapshot_after_train: false random_seed: 1701 solver_mode: CPU`

const quickSolver = `net: "net.prototxt" base_lr: 0.001 momentum: 0.9 weight_decay: 0.004 lr_policy: "multistep" gamma: 0.1 stepvalue: 60
	max_iter: 80 test_iter: 50 test_interval: 80 test_initialization: false snapshot_after_train: false random_seed: 1701 solver_mode: CPU`

// accuracy trains the model, changed from text to text, and gives the accuracy of the last test.
func accuracy(t *testing.T, dev engine.Device, model, text string, change []string) float64 {
	t.Helper()
	net, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer(append(change, "examples/mnist/", "", "examples/cifar10/", "")...).Replace(string(net))
	for name, content := range map[string]string{"net.prototxt": plain, "solver.prototxt": text} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := proto.ReadSolver("solver.prototxt")
	if err != nil {
		t.Fatal(err)
	}
	log := new(lines)
	s, err := New(f, Options{Device: dev, Open: openData(nil), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Solve(); err != nil {
		t.Fatal(err)
	}
	_, accuracies := curve(log.of(solverFile))
	return accuracies[int(f.Solver.GetMaxIter())]
}

func makeDigits(t *testing.T, digits string) {
	t.Helper()
	for _, set := range []mnist.Set{mnist.Train, mnist.Test} {
		if err := mnist.MakeLMDB("mnist_"+set.Name+"_lmdb", digits, set); err != nil {
			t.Fatal(err)
		}
	}
}

// makePictures writes pictures of ten classes: each has a pattern of coarse squares,
// which lies anywhere and under noise.
func makePictures(t *testing.T, _ string) {
	t.Helper()
	r := rand.New(rand.NewSource(10))
	var patterns [10][3][8][8]float64
	for c := range patterns {
		for k := range 3 {
			for y := range 8 {
				for x := range 8 {
					patterns[c][k][y][x] = 50 * r.NormFloat64()
				}
			}
		}
	}
	for set, n := range map[string]int{"train": 10000, "test": 5000} {
		w, err := lmdb.Create("cifar10_"+set+"_lmdb", data.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			label := r.Intn(10)
			pixels := picture(r, &patterns[label])
			value, err := pb.Marshal(&caffepb.Datum{Channels: pb.Int32(3), Height: pb.Int32(32), Width: pb.Int32(32), Data: pixels, Label: pb.Int32(int32(label))})
			if err == nil {
				err = w.Put(fmt.Sprintf("%08d", i), value)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// picture shows a pattern, shifted by up to five pixels each way.
func picture(r *rand.Rand, pattern *[3][8][8]float64) []byte {
	dx, dy := r.Intn(6), r.Intn(6)
	pixels := make([]byte, 0, 3*32*32)
	for k := range 3 {
		for y := range 32 {
			for x := range 32 {
				v := 128 + pattern[k][(y+dy)/5][(x+dx)/5] + 150*r.NormFloat64()
				pixels = append(pixels, byte(max(0, min(255, v))))
			}
		}
	}
	return pixels
}
