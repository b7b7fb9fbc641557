// Package ref is the engine in plain Go: the oracle that every other engine is
// compared with, and the engine of last resort. It runs every op of package
// engine on dense row-major float32 tensors, with simple loops and float64
// accumulation where that helps the accuracy. BF16 tensors are converted to
// float32 before the loops and rounded after them.
//
// It has one file for each subject, named as in package engine.
package ref

import (
	"fmt"
	"reflect"
	"runtime"

	"github.com/gocaffe/gocaffe/engine"
)

// Name is what the engine is registered as.
const Name = "ref"

func init() { engine.Register(Name, Open) }

// Open opens the device. It needs nothing of the machine, so it fails only for
// a precision other than fp32 and bf16.
func Open(c engine.Config) (engine.Device, error) {
	precision, err := engine.ChoosePrecision(Name, c.Precision, engine.PrecisionFP32, engine.PrecisionBF16)
	if err != nil {
		return nil, err
	}
	return &device{threads: threadsOr(c.Threads), precision: precision}, nil
}

func threadsOr(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

type device struct {
	threads   int
	precision string
}

func (d *device) Info() engine.Info {
	return engine.Info{Engine: Name, Name: "plain Go, " + runtime.GOARCH, Threads: d.threads, Precision: d.precision}
}

func (d *device) Alloc(bytes int64) (engine.Buffer, error) { return alloc(bytes) }

func (d *device) NewStream() (engine.Stream, error) { return &stream{}, nil }

func (d *device) Prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	return prepare(op, in, out, d.threads)
}

func (d *device) Close() error { return nil }

// Prepare makes a kernel that runs on the host. It is a Runner: other devices
// whose buffers have host memory use it for what they cannot do themselves.
func Prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	return prepare(op, in, out, threadsOr(0))
}

// compute does the work of one launch.
type compute func(l *launch) error

// prepares is the table of ops, keyed by the op's type.
var prepares = map[reflect.Type]func(op engine.Op, in, out []engine.Desc) (compute, error){}

// register enters an op's preparation in the table. It is called with
// descriptors that Infer accepted; an entry of out is zero where nobody reads
// the output.
func register[O engine.Op](f func(op O, in, out []engine.Desc) (compute, error)) {
	t := reflect.TypeFor[O]()
	if _, dup := prepares[t]; dup {
		panic("ref: " + t.String() + " registered twice")
	}
	prepares[t] = func(op engine.Op, in, out []engine.Desc) (compute, error) {
		return f(op.(O), in, out)
	}
}

func prepare(op engine.Op, in, out []engine.Desc, threads int) (engine.Kernel, error) {
	f, ok := prepares[reflect.TypeOf(op)]
	if !ok {
		return nil, unsupported(op, "not in the table of this engine")
	}
	if err := checkDescs(op, in, out); err != nil {
		return nil, err
	}
	run, err := f(op, in, out)
	if err != nil {
		return nil, err
	}
	return &kernel{op: op, in: in, out: out, threads: threads, run: run}, nil
}

// checkDescs holds the descriptors against what the op infers.
func checkDescs(op engine.Op, in, out []engine.Desc) error {
	want, err := op.Infer(in)
	if err != nil {
		return err
	}
	if len(out) != len(want) {
		return fmt.Errorf("ref: %T has %d outputs, got %d descriptors", op, len(want), len(out))
	}
	narrowIn, narrowOut := engine.Narrow(op)
	for i, d := range in {
		_, pixels := op.(engine.Pixels)
		if d.DType == engine.BF16 && !narrowIn.Has(i) || d.DType == engine.U8 && !pixels {
			return unsupported(op, fmt.Sprintf("input %d has type %v", i, d.DType))
		}
		if err := checkDesc(op, "input", i, d); err != nil {
			return err
		}
	}
	for i, d := range out {
		if d.DType == engine.None {
			continue
		}
		narrow := narrowOut.Has(i) && want[i].DType != engine.I32 && (d.DType == engine.BF16 || d.DType == engine.F32)
		if !d.Shape.Equal(want[i].Shape) || d.DType != want[i].DType && !narrow {
			return fmt.Errorf("ref: %T: output %d is %v of shape %v, want %v of %v", op, i, d.DType, d.Shape, want[i].DType, want[i].Shape)
		}
		if err := checkDesc(op, "output", i, d); err != nil {
			return err
		}
	}
	return nil
}

// checkDesc verifies that this engine can read and write such a tensor.
func checkDesc(op engine.Op, what string, i int, d engine.Desc) error {
	if d.Layout != engine.Plain {
		return unsupported(op, fmt.Sprintf("%s %d has a device's layout", what, i))
	}
	if d.DType == engine.None {
		return unsupported(op, fmt.Sprintf("%s %d has type %v", what, i, d.DType))
	}
	for _, n := range d.Shape {
		if n < 0 {
			return fmt.Errorf("ref: %T: %s %d has shape %v", op, what, i, d.Shape)
		}
	}
	return nil
}

func unsupported(op engine.Op, why string) error {
	return &engine.UnsupportedError{Engine: Name, Op: op, Why: why}
}
