package solver

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
)

// actions are answers to a solver's questions: a[n] to the n-th, counted from 1.
func actions(a map[int]Action) func() Action {
	asked := 0
	return func() Action {
		asked++
		return a[asked]
	}
}

// TestActions: what is asked for during iterations, by its log and its files.
func TestActions(t *testing.T) {
	const text = tiny + "max_iter: 10 snapshot_prefix: \"s\" "
	for _, c := range []struct {
		name, more string
		action     map[int]Action
		files      []int // iterations of snapshots
		stopped    bool
	}{
		{"none", "", nil, []int{10}, false},
		{"none wanted", "snapshot_after_train: false", nil, nil, false},
		{"snapshot", "", map[int]Action{3: Snapshot}, []int{3, 10}, false},
		{"stop", "", map[int]Action{4: Stop}, []int{4}, true},
		{"stop without snapshot", "snapshot_after_train: false", map[int]Action{4: Stop}, nil, true},
		{"stop with snapshot", "snapshot_after_train: false", map[int]Action{4: SnapshotStop}, []int{4}, true},
		{"snapshot, then stop", "", map[int]Action{4: Snapshot, 5: Stop}, []int{4}, true},
		{"stop at a snapshot", "snapshot: 2", map[int]Action{4: Stop}, []int{2, 4}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			log := new(lines)
			s, err := solve(t, text+c.more, Options{Log: log, Action: actions(c.action)})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 11 {
				_, err := os.Stat(fmt.Sprintf("s_iter_%d.solverstate", i))
				if (err == nil) != slices.Contains(c.files, i) {
					t.Errorf("snapshot of iteration %d: %v", i, err)
				}
			}
			all := strings.Join(log.of(solverFile), "\n")
			last := "solver.cpp:332] Optimization Done."
			if c.stopped {
				last = "solver.cpp:311] Optimization stopped early."
			}
			if s.Stopped() != c.stopped || !strings.HasSuffix(all, last) || strings.Count(all, "Optimization") != 1 {
				t.Errorf("stopped %v, log\n%s", s.Stopped(), all)
			}
			checkNeighbours(t, log)
		})
	}
}

// checkNeighbours: a parser wants the second line of a snapshot right after the first.
func checkNeighbours(t *testing.T, log *lines) {
	t.Helper()
	for i, line := range log.list {
		if strings.Contains(line, "] Snapshotting to ") &&
			(i+1 == len(log.list) || !strings.HasPrefix(log.list[i+1], "sgd_solver.cpp:284] Snapshotting solver state to binary proto file ")) {
			t.Errorf("after %s comes %q", line, log.list[i+1:])
		}
	}
}

// TestActionsInTest: a test is interrupted, and the snapshot taken in it or after it is one of its
// start, so that the resumed run has the scores of one that was never stopped.
func TestActionsInTest(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = tiny + `test_net_param { ` + tinyTest + ` } test_iter: 5 test_interval: 2 test_initialization: false max_iter: 4 snapshot_prefix: "s"`
	whole := new(lines)
	if _, err := solve(t, text, Options{Log: whole}); err != nil {
		t.Fatal(err)
	}
	log := new(lines)
	// Two answers are for iterations 0 and 1, then come those of the test at 2.
	s, err := solve(t, text, Options{Log: log, Action: actions(map[int]Action{4: Snapshot, 7: Stop})})
	if err != nil {
		t.Fatal(err)
	}
	if got := log.of("solver.cpp:396"); !s.Stopped() || len(got) != 1 || got[0] != "solver.cpp:396] Test interrupted." {
		t.Errorf("stopped %v, %q", s.Stopped(), got)
	}
	resumed := new(lines)
	if _, err := solve(t, text, Options{Log: resumed, Snapshot: "s_iter_2.solverstate"}); err != nil {
		t.Fatal(err)
	}
	if got, want := resumed.of("solver.cpp:414"), whole.of("solver.cpp:414"); !slices.Equal(got, want) || len(want) != 2 {
		t.Errorf("scores %q, want %q", got, want)
	}
}

// TestDiverged: a loss that is no number ends the training before it spoils the weights.
func TestDiverged(t *testing.T) {
	t.Chdir(t.TempDir())
	text := strings.Replace(tiny, "base_lr: 0.05", "base_lr: 1e30", 1) + `max_iter: 50 snapshot: 1 snapshot_prefix: "s"`
	_, err := solve(t, text, Options{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Iteration ", "the loss is ", "in layer \"ip\"; the inputs", "Lower base_lr",
		"The last snapshot is s_iter_", "-compat=bvlc"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	s, err := solve(t, text, Options{Compat: true})
	if err != nil {
		t.Fatalf("Caffe goes on, but not: %v", err)
	}
	if where, err := s.firstBroken(); err != nil || !strings.Contains(where, `Layer "ip" is the first whose weights are no numbers`) {
		t.Errorf("%s, %v", where, err)
	}
	// Inputs that are no numbers leave the weights as they are.
	text = strings.Replace(tiny, `data_filler { type: "gaussian" }`, `data_filler { type: "constant" value: 1e38 }`, 1) + `max_iter: 5 snapshot_prefix: "s"`
	if _, err = solve(t, text, Options{}); err == nil || !strings.Contains(err.Error(), "Iteration 0: the loss is inf. All weights are numbers still") ||
		!strings.Contains(err.Error(), "There is no snapshot") {
		t.Errorf("got %v", err)
	}
}

// TestFinetune: several files, later ones over earlier ones, in the train net and each test net;
// -weights takes the place of the solver's own, and layers without weights are named.
func TestFinetune(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = tiny + `max_iter: 0 snapshot_prefix: "%s" `
	for _, name := range []string{"a", "b"} {
		seeded := strings.Replace(fmt.Sprintf(text, name), "random_seed: 3", "random_seed: 1"+fmt.Sprint(int(name[0])), 1)
		if _, err := solve(t, seeded, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	want, err := solve(t, strings.Replace(fmt.Sprintf(text, "c"), "random_seed: 3", "random_seed: 198", 1), Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := new(lines)
	more := `weights: "none" test_net_param { ` + tinyTest + ` } test_iter: 1 test_interval: 1`
	s, err := solve(t, fmt.Sprintf(text, "d")+more, Options{Log: log, Weights: []string{"a_iter_0.caffemodel, b_iter_0.caffemodel"}})
	if err != nil {
		t.Fatal(err)
	}
	lines := log.of("solver.cpp:72")
	if len(lines) != 4 || lines[0] != "solver.cpp:72] Finetuning from a_iter_0.caffemodel" || lines[3] != "solver.cpp:72] Finetuning from b_iter_0.caffemodel" {
		t.Errorf("log %q", lines)
	}
	if got := weights(t, s); !slices.EqualFunc(got, weights(t, want), slices.Equal) {
		t.Errorf("weights %v", got)
	}
	log.list = nil
	renamed := strings.ReplaceAll(fmt.Sprintf(text, "e"), `name: "ip"`, `name: "new"`)
	if _, err := solve(t, renamed, Options{Log: log, Weights: []string{"a_iter_0.caffemodel"}}); err != nil {
		t.Fatal(err)
	}
	if got := log.of(ownFile); len(got) != 1 || !strings.Contains(got[0], "a_iter_0.caffemodel has no weights for new") {
		t.Errorf("log %q", got)
	}
	_, err = solve(t, fmt.Sprintf(text, "f")+`weights: "none"`, Options{})
	if err == nil || !strings.Contains(err.Error(), "Couldn't open none") {
		t.Errorf("got %v", err)
	}
}

// TestStates: level and stages reach the train net alone, and each test net has its own state.
func TestStates(t *testing.T) {
	t.Chdir(t.TempDir())
	const file = `name: "n"
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 1 } } }
layer { name: "deep" type: "Power" bottom: "x" top: "deep" include { min_level: 2 stage: "s" } }
layer { name: "t" type: "Power" bottom: "x" top: "t" include { stage: "t" } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1 } }`
	if err := os.WriteFile("n.prototxt", []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	const text = `net: "n.prototxt" lr_policy: "fixed" base_lr: 1 snapshot_prefix: "s" test_iter: 1 test_iter: 1 test_interval: 1
train_state { stage: "u" } test_state { stage: "t" } test_state {}`
	s, err := solve(t, text, Options{Level: 2, Stages: []string{"s"}})
	if err != nil {
		t.Fatal(err)
	}
	has := func(n *net.Net, blob string) bool {
		return slices.ContainsFunc(n.Spec().Layers, func(l *spec.Layer) bool { return l.GetName() == blob })
	}
	if !has(s.Train(), "deep") || has(s.Train(), "t") || has(s.Tests()[0], "deep") || !has(s.Tests()[0], "t") || has(s.Tests()[1], "t") {
		t.Error("states reach the wrong nets")
	}
	if got := s.Param().TrainState.String(); !strings.Contains(got, "level:2") || len(s.Param().TrainState.Stage) != 2 {
		t.Errorf("train_state is %s", got)
	}
}

// TestProgress is called after each iteration.
func TestProgress(t *testing.T) {
	t.Chdir(t.TempDir())
	var seen []int
	_, err := solve(t, tiny+`max_iter: 3 snapshot_prefix: "s"`, Options{Progress: func(p Progress) {
		seen = append(seen, p.Iteration)
		if p.MaxIter != 3 || !(p.Rate > 0) || !(p.Loss > 0) {
			t.Errorf("%+v", p)
		}
	}})
	if err != nil || !slices.Equal(seen, []int{1, 2, 3}) {
		t.Errorf("%v, %v", seen, err)
	}
}
