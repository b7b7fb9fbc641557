package cpu_test

import (
	"fmt"
	"math"
	"testing"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// TestPadding launches kernels twice on the same memory, full of NaN before the second
// time as memory that other tensors had in between may be: what pads 20 channels to
// whole blocks must be written too, because the next kernel reads it.
func TestPadding(t *testing.T) {
	d := open(t, engine.Config{})
	two := func(n int) engine.Ints { return engine.IntsOf(n, n) }
	first := engine.Conv{Kernel: two(3), Stride: two(1), Pad: two(1), Dilation: two(1), Group: 1, Epilogue: engine.Epilogue{Bias: true}}
	_, pout := d.(engine.Layouter).Prefer(first,
		[]engine.Desc{engine.Dense(2, 3, 8, 8), engine.Dense(20, 3, 3, 3), engine.Dense(20)}, []engine.Desc{engine.Dense(2, 20, 8, 8)})
	x := pout[0] // 20 channels in blocks
	if d.(engine.Layouter).Bytes(x) == x.Bytes() {
		t.Skipf("no padding in %s", d.(engine.Layouter).LayoutName(x.Layout))
	}
	c := engine.Dense(20)
	pool := engine.Pool{Kernel: two(2), Stride: two(2), Pad: two(0), Out: two(4)}
	mask, ave := pool, pool
	mask.Mask, ave.Method = true, engine.AvePool
	for _, k := range []struct {
		op engine.Op
		in []engine.Desc
	}{
		{first, []engine.Desc{engine.Dense(2, 3, 8, 8), engine.Dense(20, 3, 3, 3), c}},
		{engine.Reorder{}, []engine.Desc{engine.Dense(x.Shape...)}},
		{pool, []engine.Desc{x}},
		{mask, []engine.Desc{x}},
		{ave, []engine.Desc{x}},
		{engine.Unary{Fn: engine.Sigmoid}, []engine.Desc{x}},
		{engine.UnaryGrad{Fn: engine.Log, A: 1, B: 1}, []engine.Desc{x, x}},
		{engine.LRN{Size: 5, Alpha: 1, Beta: 0.75, K: 1}, []engine.Desc{x}},
		{engine.LRNGrad{Size: 5, Alpha: 1, Beta: 0.75, K: 1}, []engine.Desc{x, x}},
		{engine.BatchNorm{Eps: 1e-5}, []engine.Desc{x}},
		{engine.Normalize{Eps: 1e-5}, []engine.Desc{x, c, c}},
		{engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, []engine.Desc{x, c}},
		{engine.Broadcast{Fn: engine.BroadcastAdd}, []engine.Desc{x, engine.Dense()}},
		{engine.PReLU{}, []engine.Desc{x, c}},
		{engine.ReduceGrad{Coeff: 1}, []engine.Desc{engine.Dense(), x}},
	} {
		t.Run(fmt.Sprintf("%T", k.op), func(t *testing.T) { checkPadding(t, d, k.op, k.in, x.Layout) })
	}
}

// checkPadding runs op to outputs of the layout, where they have 4 axes.
func checkPadding(t *testing.T, d engine.Device, op engine.Op, in []engine.Desc, layout engine.Layout) {
	out, err := op.Infer(in)
	if err != nil {
		t.Fatal(err)
	}
	args := &engine.Args{}
	for _, desc := range in {
		args.In = append(args.In, padded(t, d, desc))
	}
	for i := range out {
		if len(out[i].Shape) == 4 {
			out[i].Layout = layout
		}
		args.Out = append(args.Out, tensor(t, d, make([]float32, d.(engine.Layouter).Bytes(out[i])/4)...))
	}
	k, err := d.Prepare(op, in, out)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	args.Workspace = tensor(t, d, make([]float32, k.Workspace()/4+1)...)
	s := stream(t, d)
	s.Launch(k, args)
	for _, b := range args.Out {
		fillWith(b, float32(math.NaN()))
	}
	fillWith(args.Workspace, float32(math.NaN()))
	s.Launch(k, args)
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	for i, b := range args.Out {
		if p, ok := op.(engine.Pool); ok && i == 1 && !p.Mask {
			continue // of bytes, fewer than it has room for
		}
		plain := reordered(t, d, b, out[i], engine.Dense(out[i].Shape...))
		if got, want := nonzeros(b), nonzeros(plain); got != want {
			t.Errorf("output %d: %d elements with padding are not 0, %d without", i, got, want)
		}
	}
}

// nonzeros counts elements that are not 0; a NaN is one.
func nonzeros(b engine.Buffer) int {
	n := 0
	for _, v := range floats(b) {
		if v != 0 {
			n++
		}
	}
	return n
}

// padded is a tensor of ones between whatever padding its layout has, which is 0.
func padded(t *testing.T, d engine.Device, desc engine.Desc) engine.Buffer {
	plain := engine.Dense(desc.Shape...)
	ones := tensor(t, d, make([]float32, plain.Bytes()/4)...)
	fillWith(ones, 1)
	return reordered(t, d, ones, plain, desc)
}

func reordered(t *testing.T, d engine.Device, x engine.Buffer, from, to engine.Desc) engine.Buffer {
	k, err := d.Prepare(engine.Reorder{}, []engine.Desc{from}, []engine.Desc{to})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	y := tensor(t, d, make([]float32, d.(engine.Layouter).Bytes(to)/4)...)
	s := stream(t, d)
	s.Launch(k, &engine.Args{In: []engine.Buffer{x}, Out: []engine.Buffer{y}, Workspace: tensor(t, d, make([]float32, k.Workspace()/4+1)...)})
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	return y
}

func floats(b engine.Buffer) []float32 { return unsafe.Slice((*float32)(b.Host()), b.Bytes()/4) }

func fillWith(b engine.Buffer, v float32) {
	f := floats(b)
	for i := range f {
		f[i] = v
	}
}
