package ref

import (
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// Runner is a kernel that can be run directly, without a stream, on any buffers
// that have host memory. All kernels of this package are Runners.
type Runner interface {
	// Run computes and returns when done. It fails on bad data (for instance
	// with *engine.LabelError) and on buffers that do not fit the descriptors.
	Run(args *engine.Args) error
}

// kernel is an op with its descriptors, ready to run.
type kernel struct {
	op      engine.Op
	in, out []engine.Desc
	threads int
	run     compute
}

func (k *kernel) Workspace() int64 { return 0 }

func (k *kernel) Close() error { return nil }

// Run implements Runner.
func (k *kernel) Run(args *engine.Args) error {
	l := launch{threads: k.threads}
	var err error
	if l.in, err = k.tensors("input", k.in, args.In); err != nil {
		return err
	}
	if l.out, err = k.tensors("output", k.out, args.Out); err != nil {
		return err
	}
	if err := k.run(&l); err != nil {
		return err
	}
	for i, d := range k.out {
		if d.DType == engine.BF16 {
			narrow(args.Out[i], l.out[i])
		}
	}
	return nil
}

// widen is the float32 values of a BF16 tensor.
func widen(b engine.Buffer, n int) []float32 {
	wide := make([]float32, n)
	for i, h := range unsafe.Slice((*uint16)(b.Host()), n) {
		wide[i] = engine.FromBF16(h)
	}
	return wide
}

// numbers is the bytes of a U8 tensor.
func numbers(b engine.Buffer, n int) []float32 {
	wide := make([]float32, n)
	for i, v := range unsafe.Slice((*byte)(b.Host()), n) {
		wide[i] = float32(v)
	}
	return wide
}

// narrow rounds values into a BF16 tensor.
func narrow(b engine.Buffer, wide []float32) {
	for i, h := 0, unsafe.Slice((*uint16)(b.Host()), len(wide)); i < len(wide); i++ {
		h[i] = engine.ToBF16(wide[i])
	}
}

// tensors views the buffers as float32 slices; nil for an unread output. BF16 and
// U8 tensors are copies.
func (k *kernel) tensors(what string, descs []engine.Desc, bufs []engine.Buffer) ([][]float32, error) {
	if len(bufs) != len(descs) {
		return nil, fmt.Errorf("ref: %T has %d %ss, got %d buffers", k.op, len(descs), what, len(bufs))
	}
	views := make([][]float32, len(descs))
	for i, d := range descs {
		if d.DType == engine.None {
			continue
		}
		b := bufs[i]
		if b == nil || b.Bytes() < d.Bytes() || (b.Host() == nil && d.Bytes() > 0) {
			return nil, fmt.Errorf("ref: %T: %s %d needs host memory of %d bytes", k.op, what, i, d.Bytes())
		}
		views[i] = view(b, d)
	}
	return views, nil
}

// view is the tensor of a descriptor.
func view(b engine.Buffer, d engine.Desc) []float32 {
	n := d.Shape.Count()
	switch {
	case n == 0:
		return []float32{}
	case d.DType == engine.BF16:
		return widen(b, n)
	case d.DType == engine.U8:
		return numbers(b, n)
	}
	return unsafe.Slice((*float32)(b.Host()), n)
}

// launch is one run of a kernel: its tensors and how many goroutines it may use.
type launch struct {
	in, out [][]float32
	threads int
}

// output is output i, or scratch memory of n elements where nobody reads it.
func (l *launch) output(i, n int) []float32 {
	if l.out[i] != nil {
		return l.out[i]
	}
	return make([]float32, n)
}

// int32s views the memory of a tensor as int32.
func int32s(f []float32) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(f))), len(f))
}
