package solver

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto"
)

// killed trains on two data layers with all that draws random numbers: shuffling, mirroring,
// cropping, Dropout, DummyData.
const killed = `
random_seed: 11 base_lr: 0.01 lr_policy: "inv" gamma: 0.01 power: 0.75 momentum: 0.9 type: "Nesterov" max_iter: %d snapshot: %d snapshot_prefix: "%s"
net_param {
  name: "killed"
  layer { name: "list" type: "ImageData" top: "a" top: "la"
    image_data_param { source: "list.txt" root_folder: "images/" batch_size: 2 new_height: 20 new_width: 20 shuffle: true }
    transform_param { crop_size: 12 mirror: true scale: 0.0039 } }
  layer { name: "db" type: "Data" top: "b" top: "lb" data_param { source: "lmdb_resized" batch_size: 3 backend: LMDB }
    transform_param { crop_size: 12 mirror: true scale: 0.0039 mean_value: 110 } }
  layer { name: "noise" type: "DummyData" top: "noise" dummy_data_param { shape { dim: 2 dim: 8 } data_filler { type: "gaussian" std: 0.1 } } }
  layer { name: "conv" type: "Convolution" bottom: "a" top: "conv" convolution_param { num_output: 2 kernel_size: 5 stride: 4 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
  layer { name: "flat" type: "Flatten" bottom: "conv" top: "flat" }
  layer { name: "noisy" type: "Eltwise" bottom: "flat" bottom: "noise" top: "noisy" }
  layer { name: "drop" type: "Dropout" bottom: "noisy" top: "noisy" }
  layer { name: "ipa" type: "InnerProduct" bottom: "noisy" top: "ipa" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "ipb" type: "InnerProduct" bottom: "b" top: "ipb" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "lossa" type: "SoftmaxWithLoss" bottom: "ipa" bottom: "la" top: "lossa" }
  layer { name: "lossb" type: "SoftmaxWithLoss" bottom: "ipb" bottom: "lb" top: "lossb" }
}`

const (
	kills        = 20
	longestLife  = 24 // iterations that a child does before it is killed, at most
	killedIters  = kills*longestLife + 10
	killedEvery  = 3
	childSolver  = "GOCAFFE_TEST_CHILD_SOLVER"
	childTimeout = time.Minute
)

// TestMain runs the training of TestKillAndResume where it is started as its child.
func TestMain(m *testing.M) {
	if path := os.Getenv(childSolver); path != "" {
		if err := trainChild(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// trainChild trains from the newest snapshot. After each iteration it writes a line and waits for
// one, so that the parent knows how far it is.
func trainChild(path string) error {
	f, err := proto.ReadSolver(path)
	if err != nil {
		return err
	}
	dev, err := engine.Open("ref", engine.Config{Threads: 1})
	if err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	o := Options{Device: dev, Open: openData(nil), Progress: func(Progress) {
		fmt.Println()
		in.ReadByte() // at the end of input there is nothing to wait for
	}}
	if states := snapshotsOf(f.Solver.GetSnapshotPrefix()); len(states) > 0 {
		o.Snapshot = states[len(states)-1]
	}
	s, err := New(f, o)
	if err != nil {
		return err
	}
	return errors.Join(s.Solve(), s.Close())
}

// snapshotsOf are the .solverstate files of a prefix, the newest last.
func snapshotsOf(prefix string) []string {
	files, _ := filepath.Glob(prefix + "_iter_*.solverstate")
	iter := func(path string) int {
		n, _ := strconv.Atoi(strings.TrimSuffix(path[strings.LastIndexByte(path, '_')+1:], ".solverstate"))
		return n
	}
	slices.SortFunc(files, func(a, b string) int { return iter(a) - iter(b) })
	return files
}

// TestKillAndResume kills a training 20 times, in the middle of iterations and snapshots, and lets
// it go on from its newest snapshot each time. No snapshot is ever half-written, and in the end the
// weights and the state are those of a training that was left alone.
func TestKillAndResume(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"list.txt", "images", "lmdb_resized"} {
		if err := os.Symlink(filepath.Join(filepath.Dir(golden(t)), "data", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	write := func(name string, every int) {
		text := fmt.Sprintf(killed, killedIters, every, strings.TrimSuffix(name, ".prototxt"))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("whole.prototxt", 0)
	write("parts.prototxt", killedEvery)
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	halves := 0
	for range kills {
		live(t, 1+random.IntN(longestLife), time.Duration(random.IntN(4000))*time.Microsecond)
		left, _ := filepath.Glob("*.tmp")
		halves += len(left)
		checkSnapshots(t)
	}
	t.Logf("%d files were being written when the training was killed", halves)
	runChild(t, "parts.prototxt")
	runChild(t, "whole.prototxt")
	sameSnapshot(t, "parts", "whole", killedIters)
}

func child(t *testing.T, solver string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), exe)
	c.Env = append(os.Environ(), childSolver+"="+solver)
	c.WaitDelay = childTimeout
	return c
}

// runChild lets a child train to its end.
func runChild(t *testing.T, solver string) {
	t.Helper()
	c := child(t, solver)
	var errs strings.Builder
	c.Stderr = &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
}

// live starts a child, lets it do some iterations and kills it a moment later.
func live(t *testing.T, iterations int, moment time.Duration) {
	t.Helper()
	c := child(t, "parts.prototxt")
	var errs strings.Builder
	c.Stderr = &errs
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for range iterations {
		if _, err := lines.ReadString('\n'); err != nil {
			c.Wait()
			t.Fatalf("the training ended by itself: %s", errs.String())
		}
		if _, err := in.Write([]byte{'\n'}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(moment)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	if errs.Len() > 0 {
		t.Fatal(errs.String())
	}
}

// checkSnapshots wants every file with a snapshot's name to be whole, and removes all but the last
// few.
func checkSnapshots(t *testing.T) {
	t.Helper()
	states := snapshotsOf("parts")
	for i, path := range states {
		state, err := proto.ReadSolverState(path)
		if err != nil {
			t.Fatal(err)
		}
		side, err := readSide(sidePath(path))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]digest{path: side.State, state.GetLearnedNet(): side.Model} {
			if have, err := digestFile(osDisk{}, name); err != nil || have != want {
				t.Fatalf("%s is not what its side file says (%v)", name, err)
			}
		}
		if i < len(states)-3 {
			for _, name := range []string{path, sidePath(path), state.GetLearnedNet()} {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	models, _ := filepath.Glob("*.caffemodel")
	for _, path := range models {
		if _, err := proto.ReadNetWeights(path); err != nil {
			t.Fatal(err)
		}
	}
}
