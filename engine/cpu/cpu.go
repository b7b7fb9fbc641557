// Package cpu is the engine on oneDNN: convolutions, products and poolings are its
// primitives, in its blocked layouts; what it lacks or does otherwise than Caffe are
// loops of our own. Both use one team of OpenMP threads.
//
// The binary starts where oneDNN is missing; Open then says what to install. Without
// cgo the package compiles and Open says that.
//
// OpenMP keeps a team of threads for each operating-system thread that launches work,
// and making one takes longer than a small kernel. Every call works from any
// goroutine, but a loop that launches many kernels should pin itself to its thread
// with runtime.LockOSThread, as net/plan does while it runs a plan.
package cpu

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu/internal/dnnl"
)

// Name is what the engine is registered as.
const Name = "cpu"

func init() { engine.Register(Name, Open) }

// Open opens the device. It fails if oneDNN is not found, for a precision other than
// fp32 and bf16, and with engine.ErrPrecision for bf16 on a processor without
// instructions for it.
func Open(c engine.Config) (engine.Device, error) {
	precision, err := engine.ChoosePrecision(Name, c.Precision, engine.PrecisionFP32, engine.PrecisionBF16)
	if err != nil {
		return nil, err
	}
	if c.Threads < 0 {
		return nil, fmt.Errorf("cpu: %d threads: want 1 or more, or 0 for one a core", c.Threads)
	}
	if err := dnnl.Load(); err != nil {
		return nil, fmt.Errorf("cpu: no oneDNN: %w", err)
	}
	if precision == engine.PrecisionBF16 && !dnnl.HasBF16() {
		return nil, fmt.Errorf("cpu: precision %q: %w: %s has neither AVX512_BF16 nor AMX; -precision fp32 runs on it", precision, engine.ErrPrecision, processor())
	}
	return &device{threads: threadsOr(c.Threads), precision: precision}, nil
}

// threadsOr is one thread for each processor that this process may use: Go counts
// the affinity mask and the container's quota.
func threadsOr(n int) int {
	if n > 0 {
		return n
	}
	return min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
}

type device struct {
	threads   int
	precision string
}

func (d *device) Info() engine.Info {
	return engine.Info{Engine: Name, Name: processor(), Threads: d.threads, Precision: d.precision, Libraries: dnnl.Libraries()}
}

// processor is the processor's name as the system has it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}

func (d *device) NewStream() (engine.Stream, error) { return &stream{threads: d.threads}, nil }

func (d *device) Close() error { return nil }

// Prepare implements engine.Device.
func (d *device) Prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	full, err := d.complete(op, in, out)
	if err != nil {
		return nil, err
	}
	k, err := dnnl.Prepare(op, in, full, d.threads)
	if err != nil {
		return nil, err
	}
	return newKernel(k, len(in), out), nil
}

// complete checks the descriptors against what the op infers, and gives those of
// unread outputs their shape, so that C never sees tensors that do not fit.
func (d *device) complete(op engine.Op, in, out []engine.Desc) ([]engine.Desc, error) {
	inferred, err := op.Infer(in)
	if err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	if len(inferred) != len(out) {
		return nil, fmt.Errorf("cpu: %T has %d outputs, got %d descriptors", op, len(inferred), len(out))
	}
	full := make([]engine.Desc, len(out))
	for i, t := range out {
		full[i] = t
		if t.DType == engine.None {
			full[i] = engine.Desc{Shape: inferred[i].Shape}
		} else if !t.Shape.Equal(inferred[i].Shape) {
			return nil, fmt.Errorf("cpu: %T: output %d has shape %v, want %v", op, i, t.Shape, inferred[i].Shape)
		}
	}
	narrowIn, narrowOut := engine.Narrow(op)
	for i, t := range in {
		if why := refuse(t, d.precision, narrowIn.Has(i)); why != "" {
			return nil, &engine.UnsupportedError{Engine: Name, Op: op, Why: why}
		}
	}
	for i, t := range full {
		if why := refuse(t, d.precision, narrowOut.Has(i)); why != "" {
			return nil, &engine.UnsupportedError{Engine: Name, Op: op, Why: why}
		}
	}
	return full, nil
}

// refuse says what tensors no kernel of this engine takes; narrow tells whether the op
// allows bfloat16 there.
func refuse(d engine.Desc, precision string, narrow bool) string {
	switch {
	case d.DType == engine.BF16 && precision != engine.PrecisionBF16:
		return "bfloat16 tensors on a device that was opened for " + precision
	case d.DType == engine.BF16 && !narrow:
		return "bfloat16 at this place"
	case len(d.Shape) > dnnl.MaxRank:
		return fmt.Sprintf("tensors of more than %d axes", dnnl.MaxRank)
	case d.Shape.Count() == 0:
		return "tensors without elements"
	}
	return ""
}
