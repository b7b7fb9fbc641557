//go:build cgo && linux

// Package cuda is the engine for NVIDIA's GPUs. It stands on the driver alone
// (libcuda.so.1, found at run time): memory, streams and our own kernels, which lie
// in the binary as PTX and are compiled by the driver for the GPU at hand. What cuDNN
// and cuBLASLt do better is theirs where they are found.
//
// The parts that every op's file uses:
//
//   - register enters an op in the table of Prepare; it gives a *kernel, whose run
//     function issues the work of one launch;
//   - device.launcher finds one of our own kernels by name and keeps its grid; start
//     queues it with its one struct of arguments;
//   - device.flag is a word in the GPU's memory where a kernel reports bad data, such
//     as a label outside the classes, which Sync turns into an error.
//
// Every call works from any goroutine; the driver's notion of a thread's context is
// kept by the shim.
package cuda

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// Open opens a GPU. Each thing that can be missing, the driver, a GPU, a driver young
// enough, has its own error. The libraries are looked for when an op needs them.
func Open(c engine.Config) (engine.Device, error) {
	precision, err := engine.ChoosePrecision(Name, c.Precision, engine.PrecisionFP32, engine.PrecisionTF32, engine.PrecisionBF16)
	if err != nil {
		return nil, err
	}
	driver, err := shim.OpenDriver()
	if err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	ctx, err := driver.Context(c.Index)
	if err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	d, err := newDevice(ctx, c.Warn)
	if err != nil {
		return nil, err
	}
	if d.precision = precision; precision == engine.PrecisionFP32 {
		return d, nil
	}
	if d.capability < minNarrow {
		return nil, joinFailed(d, fmt.Errorf("%w %s: it takes compute capability %d.%d (Ampere) or newer, this GPU's is %d.%d",
			engine.ErrPrecision, precision, minNarrow/10, minNarrow%10, d.capability/10, d.capability%10), d.Close())
	}
	return layouter{d}, nil
}

// minNarrow is the compute capability of the oldest GPUs whose tensor cores take TF32 and
// bfloat16.
const minNarrow = 80

// device is one GPU.
type device struct {
	ctx        *shim.Context
	capability int // 80 for 8.0
	code       code
	flags      flags
	sms        int // multiprocessors
	precision  string
	libs       libraries
	plans      planCache
	lost       atomic.Bool // the GPU broke, which was said
}

func newDevice(ctx *shim.Context, warn func(string)) (*device, error) {
	d := &device{ctx: ctx}
	if warn == nil {
		warn = func(string) {}
	}
	d.plans.open(ctx, warn)
	var err error
	if d.capability, err = ctx.Capability(); err != nil {
		return nil, d.failed(err)
	}
	if d.sms, err = ctx.Attribute(shim.Multiprocessors); err != nil {
		return nil, d.failed(err)
	}
	if d.capability < minCapability {
		return nil, fmt.Errorf("cuda: GPU %d (%s) has compute capability %d.%d; %d.%d (Volta) or newer is needed",
			ctx.Ordinal, ctx.Name, d.capability/10, d.capability%10, minCapability/10, minCapability%10)
	}
	return d, d.flags.open(d)
}

// minCapability is that of the oldest GPUs whose code we carry.
const minCapability = 70

// failed says, once, which GPU an error is about, and what to do where it is lost.
func (d *device) failed(err error) error {
	var told *gpuError
	if err == nil || errors.As(err, &told) {
		return err
	}
	if isLost(err) {
		d.lost.Store(true)
		err = fmt.Errorf("%w; the GPU is lost to this process, start it again (train goes on from the last snapshot with -snapshot)", err)
	}
	return &gpuError{d.ctx, err}
}

// gpuError is an error of a GPU.
type gpuError struct {
	gpu *shim.Context
	err error
}

func (e *gpuError) Error() string {
	return fmt.Sprintf("cuda: GPU %d (%s): %v", e.gpu.Ordinal, e.gpu.Name, e.err)
}

func (e *gpuError) Unwrap() error { return e.err }

// freed is failed for what gives something back. Where the GPU is lost that has been
// said, and everything on it is gone with it.
func (d *device) freed(errs ...error) error {
	if d.lost.Load() {
		return nil
	}
	return joinFailed(d, errs...)
}

// Info implements engine.Device.
func (d *device) Info() engine.Info {
	return engine.Info{Engine: Name, Name: d.ctx.Name, Precision: d.precision, Libraries: []engine.Library{d.ctx.Info()}}
}

// NewStream implements engine.Device.
func (d *device) NewStream() (engine.Stream, error) { return newStream(d) }

// Close implements engine.Device. The GPU's context stays with the process.
func (d *device) Close() error {
	return d.freed(d.libs.close(), d.flags.close(d), d.code.close())
}

// kernel is a prepared op.
type kernel struct {
	op        engine.Op
	in, out   int
	workspace int64
	run       func(l *launch) error // issues the work of one launch
	close     func() error          // nil: nothing to free
}

// Workspace implements engine.Kernel.
func (k *kernel) Workspace() int64 { return k.workspace }

// Close implements engine.Kernel.
func (k *kernel) Close() error {
	if k.close == nil {
		return nil
	}
	f := k.close
	k.close = nil
	return f()
}

// launch is one run of a kernel: the addresses of its tensors on the GPU, 0 for an
// output that nobody reads, and the queue.
type launch struct {
	queue     *shim.Stream
	in, out   []uint64
	workspace uint64
}

type prepare func(d *device, op engine.Op, in, out []engine.Desc) (*kernel, error)

// prepares is the table of ops, by the op's type.
var prepares = map[reflect.Type]prepare{}

// register enters an op that runs on dense float32 tensors (and int32 ones, where the
// op has them). f gets descriptors that agree with what the op infers; those of unread
// outputs have their shape, and the type None.
func register[O engine.Op](f func(d *device, op O, in, out []engine.Desc) (*kernel, error)) {
	registerAny(func(d *device, op O, in, out []engine.Desc) (*kernel, error) {
		for _, t := range append(append([]engine.Desc{}, in...), out...) {
			if t.Layout != engine.Plain {
				return nil, unsupported(op, "tensors in layouts of the device's own")
			}
			if t.DType == engine.BF16 {
				return nil, unsupported(op, "bfloat16 tensors")
			}
		}
		return f(d, op, in, out)
	})
}

// registerAny enters an op that looks at layouts and types itself.
func registerAny[O engine.Op](f func(d *device, op O, in, out []engine.Desc) (*kernel, error)) {
	t := reflect.TypeFor[O]()
	if _, dup := prepares[t]; dup {
		panic("cuda: " + t.String() + " registered twice")
	}
	prepares[t] = func(d *device, op engine.Op, in, out []engine.Desc) (*kernel, error) {
		return f(d, op.(O), in, out)
	}
}

func unsupported(op engine.Op, why string) error {
	return &engine.UnsupportedError{Engine: Name, Op: op, Why: why}
}

// Prepare implements engine.Device.
func (d *device) Prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	f, ok := prepares[reflect.TypeOf(op)]
	if !ok {
		return nil, missing(op)
	}
	full, err := complete(op, in, out)
	if err != nil {
		return nil, err
	}
	k, err := f(d, op, in, full)
	if err != nil {
		return nil, err
	}
	k.op, k.in, k.out = op, len(in), len(out)
	return k, nil
}

// complete checks the descriptors against what the op infers, and gives those of
// unread outputs their shape.
func complete(op engine.Op, in, out []engine.Desc) ([]engine.Desc, error) {
	inferred, err := op.Infer(in)
	if err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	if len(inferred) != len(out) {
		return nil, fmt.Errorf("cuda: %T has %d outputs, got %d descriptors", op, len(inferred), len(out))
	}
	full := make([]engine.Desc, len(out))
	for i, t := range out {
		full[i] = t
		if t.DType == engine.None {
			full[i] = engine.Desc{Shape: inferred[i].Shape}
		} else if !t.Shape.Equal(inferred[i].Shape) {
			return nil, fmt.Errorf("cuda: %T: output %d has shape %v, want %v", op, i, t.Shape, inferred[i].Shape)
		}
	}
	_, pixels := op.(engine.Pixels)
	for _, t := range append(append([]engine.Desc{}, in...), full...) {
		if t.Shape.Count() == 0 {
			return nil, unsupported(op, "tensors without elements")
		}
		if t.DType == engine.U8 && !pixels {
			return nil, unsupported(op, "bytes")
		}
	}
	return full, nil
}
