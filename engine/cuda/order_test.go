//go:build cgo && linux

package cuda

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// TestMissingWaitIsSeen: the fake driver, on which all tests here run in CI, shows it when
// one of the waits of copyIn is left out.
func TestMissingWaitIsSeen(t *testing.T) {
	onFake(t)
	d, s := open(t)
	const n, trials = smallCopy + 1, 100
	b, c := alloc(t, d, n), alloc(t, d, n)
	for _, leave := range []struct {
		name        string
		before, end bool // the waits that are left out
	}{{"none", false, false}, {"before the copy", true, false}, {"behind the copy", false, true}} {
		wrong := 0
		for range trials {
			first, second := pattern(n, 1), pattern(n, 2)
			s.CopyIn(b, first)
			errs := []error{s.Sync(), s.compute.Copy(c.at, b.at, n), s.compute.Record(s.tail)} // c gets the first
			if !leave.before {
				errs = append(errs, s.copies.Wait(s.tail))
			}
			last, err := s.in.send(d.ctx, s.copies, b.at, second)
			errs = append(errs, err)
			if !leave.end {
				errs = append(errs, s.compute.Wait(last))
			}
			got, old := make([]byte, n), make([]byte, n)
			s.CopyOut(got, b)
			s.CopyOut(old, c)
			if err := errors.Join(append(errs, s.Sync())...); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, second) || !bytes.Equal(old, first) {
				wrong++
			}
		}
		if wait := !leave.before && !leave.end; wait && wrong > 0 || !wait && wrong < trials/10 {
			t.Errorf("waits left out: %s: %d of %d trials went wrong", leave.name, wrong, trials)
		}
	}
}

// TestAnyOrder runs the tests of the queues again in other orders that the events allow.
func TestAnyOrder(t *testing.T) {
	onFake(t)
	for _, seed := range []string{"2", "3", "4", "5"} {
		c := exec.Command(os.Args[0], "-test.run=^(TestCopies|TestFirstFailureSticks|TestFlags|TestRecordings)$")
		c.Env = append(os.Environ(), "GOCAFFE_FAKECUDA_SEED="+seed)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("seed %s: %v\n%s", seed, err, out)
		}
	}
}

// TestRecordings: a recording replays between copies in its turn, again and again, and what
// cannot be recorded is an error after which the stream goes on.
func TestRecordings(t *testing.T) {
	d, s := open(t)
	const n = smallCopy + 4
	shape := engine.Dense(n / 4)
	relu, err := d.Prepare(engine.Unary{Fn: engine.Power, A: 1, B: 1, C: 1}, []engine.Desc{shape}, []engine.Desc{shape})
	if err != nil {
		t.Fatal(err)
	}
	b, c := alloc(t, d, n), alloc(t, d, n)
	add := &engine.Args{In: []engine.Buffer{b}, Out: []engine.Buffer{c}}
	again := &engine.Args{In: []engine.Buffer{c}, Out: []engine.Buffer{c}}
	r, err := s.Record(func() {
		s.Launch(relu, add)
		s.Launch(relu, again)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		x := make([]float32, n/4)
		for j := range x {
			x[j] = float32(i * j % 1000)
		}
		s.CopyIn(b, bytesOf(x))
		s.Replay(r)
		s.Zero(b)
		y := make([]float32, n/4)
		s.CopyOut(bytesOf(y), c)
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
		for j := range x {
			if y[j] != x[j]+2 {
				t.Fatalf("replay %d: element %d is %g, want %g", i, j, y[j], x[j]+2)
			}
		}
	}
	if broken, err := s.Record(func() { s.CopyIn(b, make([]byte, n)); s.Launch(relu, &engine.Args{}) }); err == nil || broken != nil {
		t.Error("a launch without its tensors was recorded")
	}
	s.Zero(b)
	if err := errors.Join(s.Sync(), r.Close(), relu.Close()); err != nil {
		t.Error(err)
	}
}
