package null

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

func TestPlumbing(t *testing.T) {
	enginetest.RunPlumbing(t, func(c engine.Config) (engine.Device, error) { return engine.Open(Name, c) })
}

func TestCounts(t *testing.T) {
	d := New()
	s, err := d.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	op := engine.Unary{Fn: engine.ReLU}
	x := []engine.Desc{engine.Dense(2, 3)}
	k, err := d.Prepare(op, x, x)
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	args := &engine.Args{In: []engine.Buffer{b.Slice(0, 24)}, Out: []engine.Buffer{b.Slice(64, 24)}}
	s.Launch(k, args)
	s.Launch(k, args)
	s.CopyIn(b, make([]byte, 24))
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := d.Counts(), (Counts{Peak: 100, Prepared: 1, Launches: 2, CopiedIn: 24}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if n := d.LaunchesOf(op); n != 2 {
		t.Errorf("%d launches of Unary, want 2", n)
	}
	s.Launch(k, &engine.Args{In: []engine.Buffer{b.Slice(0, 20)}, Out: args.Out})
	if s.Sync() == nil {
		t.Error("an input buffer that is too small was accepted")
	}
	if err := s.Sync(); err != nil {
		t.Errorf("the error was not cleared: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	d := New()
	x := []engine.Desc{engine.Dense(2, 3)}
	if _, err := d.Prepare(engine.Unary{}, x, []engine.Desc{engine.Dense(3, 2)}); err == nil {
		t.Error("an output of another shape was accepted")
	}
	if _, err := d.Prepare(engine.Gemm{}, x, x); err == nil {
		t.Error("a product of one matrix was accepted")
	}
}
