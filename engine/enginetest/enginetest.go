// Package enginetest is the conformance suite of the engines. An engine's own
// test is one line:
//
//	func TestConformance(t *testing.T) { enginetest.Run(t, cpu.Open) }
//
// For every op it makes cases with random attributes and shapes (the same each
// time; another GOCAFFE_TEST_SEED gives others), runs them on the engine under test and on engine/ref, and
// compares. Each case is run with plain layouts; with the layouts that the engine
// prefers, if it has its own, from plain ones and from those that a convolution
// leaves; in place where the op allows it, and with outputs that nobody
// reads; around every buffer lie guard bytes that must not change.
//
// An op has one file here, named as in package engine; a test fails for an op
// that has no case.
package enginetest

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
)

// Tolerance is how far a result may be from ref's: Tolerance·max(1, |b|) for
// ref's value b, unless a case says otherwise.
const Tolerance = 1e-4

// Open opens a device of the engine under test.
type Open = func(engine.Config) (engine.Device, error)

// Report counts what an engine ran and what it refused.
type Report struct {
	Runs        int            // runs that were compared with ref
	Unsupported map[string]int // op and mode, as in "Pool in place": runs answered by ErrUnsupported
}

// generator makes the cases of one op.
type generator struct {
	op    reflect.Type
	cases func(g *source) []Case
}

var generators []generator

// register enters the cases of an op; checks are in extra.
func register[O engine.Op](cases func(g *source) []Case) {
	generators = append(generators, generator{op: reflect.TypeFor[O](), cases: cases})
}

// extras are checks that are no comparison with ref, by name.
var extras = map[string]func(t *testing.T, r *rig){}

// source is a random source with makers of tensors.
type source struct{ *rand.Rand }

// newSource is seeded by a name and by GOCAFFE_TEST_SEED, a number.
func newSource(name string) *source {
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("GOCAFFE_TEST_SEED"), "1701"), 10, 64)
	if err != nil {
		panic("GOCAFFE_TEST_SEED: " + err.Error())
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return &source{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// Run runs the suite against an engine. It logs what the engine does not
// support, and returns it for tests that allow nothing to be missing.
func Run(t *testing.T, open Open) Report {
	t.Helper()
	return run(t, open, engine.PrecisionFP32)
}

// RunBF16 is the suite for an engine opened for bf16, on the ops that engine.Narrow
// allows it for: with every tensor that may be BF16 so, and for products also with
// float32 results. The oracle is ref in float32, on inputs that are bfloat16 numbers.
func RunBF16(t *testing.T, open Open) Report {
	t.Helper()
	return run(t, open, engine.PrecisionBF16)
}

// RunTF32 is the suite for an engine opened for tf32, whose products drop bits of their
// inputs: they get inputs that have none to drop, so that the oracle is ref in float32.
func RunTF32(t *testing.T, open Open) Report {
	t.Helper()
	return run(t, open, engine.PrecisionTF32)
}

func run(t *testing.T, open Open, precision string) Report {
	t.Helper()
	r := newRig(t, open, precision)
	oracle := newRig(t, ref.Open, engine.PrecisionFP32)
	rep := Report{Unsupported: map[string]int{}}
	for _, gen := range generators {
		t.Run(gen.op.Name(), func(t *testing.T) {
			for _, c := range gen.cases(newSource(gen.op.Name())) {
				t.Run(c.name(), func(t *testing.T) {
					if err := rep.check(r, oracle, &c); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
	if precision == engine.PrecisionFP32 {
		for name, f := range extras {
			t.Run(name, func(t *testing.T) { f(t, r) })
		}
	}
	rep.log(t)
	return rep
}

// check runs a case in every mode and compares it with ref.
func (rep *Report) check(r, oracle *rig, c *Case) error {
	modes := c.modes(r.layouter != nil)
	switch {
	case r.precision == engine.PrecisionBF16:
		modes = c.narrowModes(modes)
	case r.precision == engine.PrecisionTF32 && engine.Multiplies(c.Op):
		c.round()
		c.Tol = max(c.Tol, toleranceTF32)
	}
	if len(modes) == 0 {
		return nil
	}
	want, err := oracle.expect(c)
	if err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	var failed error
	for _, m := range modes {
		got, err := r.run(c, m)
		if errors.Is(err, engine.ErrUnsupported) {
			rep.Unsupported[reflect.TypeOf(c.Op).Name()+" "+m.name]++
			continue
		}
		if err == nil {
			err = c.compare(got, want, m)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", m.name, err))
			continue
		}
		rep.Runs++
	}
	return failed
}

func (rep *Report) log(t *testing.T) {
	t.Logf("%d runs agree with ref", rep.Runs)
	for _, what := range slices.Sorted(maps.Keys(rep.Unsupported)) {
		t.Logf("unsupported: %s (%d runs)", what, rep.Unsupported[what])
	}
}

// Required reports whether GOCAFFE_TEST_ENGINES, a list such as "ref,cpu", names
// the engine: a test then fails where it would skip for want of it.
func Required(name string) bool {
	return slices.Contains(strings.Split(os.Getenv("GOCAFFE_TEST_ENGINES"), ","), name)
}

// Devices opens the engines that a test of nets runs on: those that
// GOCAFFE_TEST_ENGINES names, each of which must exist; without it ref, and cpu
// where its library is found.
func Devices(t testing.TB) map[string]engine.Device {
	t.Helper()
	return DevicesAt(t, engine.PrecisionFP32)
}

// DevicesAt is Devices for a precision; an engine may be missing where the machine
// lacks the precision (engine.ErrPrecision).
func DevicesAt(t testing.TB, precision string) map[string]engine.Device {
	t.Helper()
	names := []string{"ref", "cpu"}
	if list := os.Getenv("GOCAFFE_TEST_ENGINES"); list != "" {
		names = strings.Split(list, ",")
	}
	devices := map[string]engine.Device{}
	for _, name := range names {
		dev, err := engine.Open(name, engine.Config{Precision: precision})
		if err != nil && (name == "ref" || Required(name)) && !errors.Is(err, engine.ErrPrecision) {
			t.Fatal(err)
		}
		if err != nil {
			t.Logf("without engine %s: %v", name, err)
			continue
		}
		t.Cleanup(func() {
			if err := dev.Close(); err != nil {
				t.Error(err)
			}
		})
		devices[name] = dev
	}
	return devices
}

// OpenOrSkip opens the named engine. Where that fails, the test fails if the
// engine is Required and is skipped, with the reason, if not.
func OpenOrSkip(t testing.TB, name string, c engine.Config) engine.Device {
	t.Helper()
	dev, err := engine.Open(name, c)
	if err != nil && Required(name) {
		t.Fatalf("GOCAFFE_TEST_ENGINES names %s: %v", name, err)
	}
	if err != nil {
		t.Skipf("no engine %s here: %v", name, err)
	}
	t.Cleanup(func() {
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	})
	return dev
}
