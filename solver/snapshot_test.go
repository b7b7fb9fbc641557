package solver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

// failingDisk fails once, at a call of one kind after some that work.
type failingDisk struct {
	osDisk
	kind  string
	after int
	err   error
}

func (d *failingDisk) fails(kind string) bool {
	if kind != d.kind {
		return false
	}
	d.after--
	return d.after == -1
}

func (d *failingDisk) create(path string) (syncWriter, error) {
	f, err := d.osDisk.create(path)
	if d.fails("create") {
		return nil, errors.Join(d.err, f.Close())
	}
	return &failingFile{f, d}, err
}

func (d *failingDisk) rename(from, to string) error {
	if d.fails("rename") {
		return d.err
	}
	return d.osDisk.rename(from, to)
}

func (d *failingDisk) sync(path string) error {
	if d.fails("folder sync") {
		return d.err
	}
	return d.osDisk.sync(path)
}

type failingFile struct {
	syncWriter
	disk *failingDisk
}

func (f *failingFile) Write(b []byte) (int, error) {
	if f.disk.fails("write") {
		n, _ := f.syncWriter.Write(b[:len(b)/2])
		return n, f.disk.err // nil: a short write
	}
	return f.syncWriter.Write(b)
}

func (f *failingFile) Sync() error {
	if f.disk.fails("sync") {
		return f.disk.err
	}
	return f.syncWriter.Sync()
}

func (f *failingFile) Close() error {
	err := f.syncWriter.Close()
	if f.disk.fails("close") {
		return f.disk.err
	}
	return err
}

// TestSnapshotFaults lets each step of writing a snapshot fail in turn. The earlier snapshot stays
// what it was and can be resumed from, nothing half-written has a snapshot's name, and the error
// says which file.
func TestSnapshotFaults(t *testing.T) {
	for _, c := range []struct {
		kind string
		err  error
		want string
	}{
		{"create", &os.PathError{Op: "open", Path: "s_iter_2.x", Err: syscall.EACCES}, "permission denied"},
		{"write", &os.PathError{Op: "write", Path: "s_iter_2.x", Err: syscall.ENOSPC}, "no space left on device"},
		{"write", nil, "short write"},
		{"sync", &os.PathError{Op: "sync", Path: "s_iter_2.x", Err: syscall.EIO}, "input/output error"},
		{"close", &os.PathError{Op: "close", Path: "s_iter_2.x", Err: syscall.EDQUOT}, "disk quota exceeded"},
		{"rename", &os.LinkError{Op: "rename", Old: "s_iter_2.x", New: "y", Err: syscall.EXDEV}, "invalid cross-device link"},
	} {
		for after := range 3 {
			t.Run(fmt.Sprintf("%s %d %v", c.kind, after, c.err != nil), func(t *testing.T) {
				t.Chdir(t.TempDir())
				faulty(t, &failingDisk{kind: c.kind, after: after, err: c.err}, c.want)
			})
		}
	}
}

func faulty(t *testing.T, d *failingDisk, want string) {
	const text = tiny + "max_iter: 3 snapshot: 1 snapshot_prefix: \"s\""
	s, err := New(parse(t, text), Options{Device: refDevice(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.step(1); err != nil {
		t.Fatal(err)
	}
	before := contents(t)
	s.disk = d
	err = s.step(2)
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "s_iter_2.") ||
		!strings.Contains(err.Error(), "Earlier snapshots are intact") {
		t.Fatalf("error %v, want %q", err, want)
	}
	after := contents(t)
	for name, text := range before {
		if after[name] != text {
			t.Errorf("%s has changed", name)
		}
	}
	for name := range after {
		if strings.HasSuffix(name, ".tmp") || strings.HasPrefix(name, "s_iter_2.solverstate") && !strings.HasSuffix(name, ".gocaffe") {
			t.Errorf("%s is left behind", name)
		}
	}
	if _, err := solve(t, text, Options{Snapshot: "s_iter_1.solverstate"}); err != nil {
		t.Error(err)
	}
}

// contents are the files of the working folder.
func contents(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	names, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// TestSnapshotReplaces: a snapshot of an earlier run with the same name is replaced as a whole, or
// if that fails at its first step not at all.
func TestSnapshotReplaces(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = tiny + "max_iter: 1 snapshot: 1 snapshot_prefix: \"s\""
	if _, err := solve(t, text, Options{}); err != nil {
		t.Fatal(err)
	}
	before := contents(t)
	s, err := New(parse(t, strings.Replace(text, "random_seed: 3", "random_seed: 4", 1)), Options{Device: refDevice(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// The second rename is that of the weights; the old state is out of the way by then.
	s.disk = &failingDisk{kind: "rename", after: 1, err: syscall.EIO}
	if err := s.step(1); err == nil {
		t.Fatal("no error")
	}
	for name, text := range before {
		if got, _ := os.ReadFile(name); string(got) != text {
			t.Errorf("%s has changed", name)
		}
	}
	s.disk = osDisk{}
	if err := s.snapshot(); err != nil {
		t.Fatal(err)
	}
	after := contents(t)
	if len(after) != 3 || after["s_iter_1.caffemodel"] == before["s_iter_1.caffemodel"] {
		t.Errorf("the snapshot was not replaced: %d files", len(after))
	}
	if _, err := solve(t, text, Options{Snapshot: "s_iter_1.solverstate"}); err != nil {
		t.Error(err)
	}
}

// TestSideFile: a side file that is cut short, damaged, of another version, foreign or of another
// snapshot is named, with how to go on.
func TestSideFile(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = tiny + "max_iter: 2 snapshot: 1 snapshot_prefix: \"s\""
	if _, err := solve(t, text, Options{}); err != nil {
		t.Fatal(err)
	}
	const side = "s_iter_1.solverstate.gocaffe"
	good, err := os.ReadFile(side)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)/2] ^= 1
	other, err := os.ReadFile("s_iter_2.solverstate.gocaffe")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text []byte
		want string
	}{
		{good[:len(good)-10], "bytes of"},
		{nil, "this is not the side file of a snapshot"},
		{[]byte("name: \"LeNet\""), "this is not the side file of a snapshot"},
		{flipped, "its checksum is wrong"},
		{[]byte(strings.Replace(string(good), "state 1,", "state 2,", 1)), "it is in format 2, this program knows 1"},
		{other, "is of iteration 2"},
	} {
		if err := os.WriteFile(side, c.text, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := solve(t, text, Options{Snapshot: "s_iter_1.solverstate"})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), side) ||
			!strings.Contains(err.Error(), "remove th") {
			t.Errorf("%.30q: got %v, want %s", c.text, err, c.want)
		}
	}
	if err := os.Remove(side); err != nil {
		t.Fatal(err)
	}
	log := new(lines)
	if _, err := solve(t, text, Options{Snapshot: "s_iter_1.solverstate", Log: log}); err != nil {
		t.Error(err)
	}
	if got := strings.Join(log.of(ownFile), "\n"); !strings.Contains(got, side+" is not there") {
		t.Errorf("no warning of the missing file in %s", got)
	}
}

// TestResumeMistakes: the usual wrong arguments of -snapshot.
func TestResumeMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = tiny + "max_iter: 1 snapshot: 1 snapshot_prefix: \"s\""
	if _, err := solve(t, text, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, snapshot, want string }{
		{text, "s_iter_1.caffemodel", "Did you mean -snapshot s_iter_1.solverstate, or -weights s_iter_1.caffemodel?"},
		{text, "s_iter_1.caffemodel", "(0 vs. 2) Incorrect length of history blobs."},
		{text, "none.solverstate", "File not found: none.solverstate"},
		{text + "type: \"Adam\"", "s_iter_1.solverstate", "(2 vs. 4) Incorrect length of history blobs. It was written by another type of solver than Adam"},
		{strings.Replace(text, "dim: 4 dim: 3", "dim: 4 dim: 5", 1), "s_iter_1.solverstate", "shape mismatch"},
		{text, "x.h5", "was built without libhdf5"},
	} {
		_, err := solve(t, c.text, Options{Snapshot: c.snapshot})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.snapshot, err, c.want)
		}
	}
	if _, err := solve(t, text, Options{Snapshot: "s", Weights: []string{"w"}}); err == nil || !strings.Contains(err.Error(), "but not both") {
		t.Errorf("snapshot and weights: %v", err)
	}
	// A snapshot that was moved finds its weights beside it; without them the error names both places.
	if err := os.Mkdir("moved", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"s_iter_1.caffemodel", "s_iter_1.solverstate", "s_iter_1.solverstate.gocaffe"} {
		if err := os.Rename(name, "moved/"+name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := solve(t, text, Options{Snapshot: "moved/s_iter_1.solverstate"}); err != nil {
		t.Error(err)
	}
	if err := os.Remove("moved/s_iter_1.caffemodel"); err != nil {
		t.Fatal(err)
	}
	os.Remove("s_iter_1.caffemodel")
	_, err := solve(t, text, Options{Snapshot: "moved/s_iter_1.solverstate"})
	if err == nil || !strings.Contains(err.Error(), "File not found: s_iter_1.caffemodel") || !strings.Contains(err.Error(), "moved/s_iter_1.caffemodel") {
		t.Errorf("missing weights: %v", err)
	}
}

// TestResumeIsExact: stopping anywhere and resuming gives the weights, histories, losses and scores
// of a run that was never stopped, for every rule and with what the loop keeps.
func TestResumeIsExact(t *testing.T) {
	settings := map[string]string{
		"sgd":       `average_loss: 4`,
		"multistep": `lr_policy: "multistep" gamma: 0.5 stepvalue: 3 stepvalue: 4 stepvalue: 9`,
		"adam":      `type: "Adam" momentum2: 0.99`,
		"adadelta":  `type: "AdaDelta" delta: 1e-6`,
		"iter_size": `iter_size: 3 clip_gradients: 0.1 snapshot_diff: true`,
		"tests":     `test_net_param { ` + tinyTest + ` } test_iter: 2 test_interval: 3 test_compute_loss: true`,
	}
	for engine, dev := range enginetest.Devices(t) {
		for name, more := range settings {
			t.Run(engine+"/"+name, func(t *testing.T) {
				t.Chdir(t.TempDir())
				base := tiny
				if strings.Contains(more, "lr_policy") {
					base = strings.Replace(tiny, `lr_policy: "fixed"`, "", 1)
				}
				resumeAnywhere(t, dev, base+more)
			})
		}
	}
}

// resumeAnywhere trains in one go, and stopped after 1, 4, 7 and 10 questions for an action.
func resumeAnywhere(t *testing.T, dev engine.Device, text string) {
	text += ` max_iter: 12 display: 1 snapshot: 4 snapshot_prefix: `
	whole := new(lines)
	if _, err := solve(t, text+`"whole"`, Options{Device: dev, Log: whole}); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop < 12; stop += 3 {
		prefix := fmt.Sprintf("part%d", stop)
		log := new(lines)
		o := Options{Device: dev, Log: log, Action: actions(map[int]Action{stop: SnapshotStop})}
		s, err := solve(t, text+`"`+prefix+`"`, o)
		if err != nil || !s.Stopped() {
			t.Fatal(err)
		}
		o.Action, o.Snapshot = nil, fmt.Sprintf("%s_iter_%d.solverstate", prefix, s.Iteration())
		if _, err := solve(t, text+`"`+prefix+`"`, o); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, prefix, "whole", 12)
		sameEnd(t, log, whole)
	}
}

const tinyTest = `name: "test"
  layer { name: "x" type: "DummyData" top: "x" top: "y"
    dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 dim: 1 } data_filler { type: "gaussian" } data_filler { type: "uniform" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }`

// sameSnapshot wants the same weights, bit for bit, and the same state but for the weights' name.
func sameSnapshot(t *testing.T, a, b string, iter int) {
	t.Helper()
	for _, extension := range []string{".caffemodel", ".solverstate"} {
		x, err := os.ReadFile(fmt.Sprintf("%s_iter_%d%s", a, iter, extension))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(fmt.Sprintf("%s_iter_%d%s", b, iter, extension))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(x), a) {
			i, j := strings.Index(string(x), a)+len(a), strings.Index(string(y), b)+len(b)
			x, y = x[i:], y[j:]
		}
		if string(x) != string(y) {
			t.Errorf("%s%s differs from %s's", a, extension, b)
		}
	}
}

// sameEnd wants the last lines of two logs to be the same but for times.
func sameEnd(t *testing.T, got, want *lines) {
	t.Helper()
	clean := func(l *lines) []string {
		var out []string
		for _, line := range l.of(solverFile+":2", solverFile+":3", solverFile+":4", sgdFile+":112", sgdFile+":99") {
			if !strings.Contains(line, "Snapshotting") {
				out = append(out, speed.ReplaceAllString(line, "("))
			}
		}
		return out[max(0, len(out)-6):]
	}
	if g, w := clean(got), clean(want); !slices.Equal(g, w) {
		t.Errorf("the log ends with\n%s\nnot with\n%s", strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
}
