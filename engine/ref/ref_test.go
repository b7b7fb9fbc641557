package ref

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// launchOn runs an op on the given values through the public interface.
func launchOn(t *testing.T, op engine.Op, shapes []engine.Shape, in ...[]float32) ([][]float32, error) {
	t.Helper()
	dev, err := engine.Open(Name, engine.Config{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	s, err := dev.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	var din []engine.Desc
	args := &engine.Args{}
	for i, v := range in {
		din = append(din, engine.Dense(shapes[i]...))
		args.In = append(args.In, buffer32(t, dev, len(v)))
		if len(v) > 0 {
			s.CopyIn(args.In[i], unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)))
		}
	}
	dout, err := op.Infer(din)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, d := range dout {
		b := buffer32(t, dev, d.Shape.Count())
		args.Out = append(args.Out, b)
		out = append(out, unsafe.Slice((*float32)(b.Host()), d.Shape.Count()))
	}
	k, err := dev.Prepare(op, din, dout)
	if err != nil {
		t.Fatal(err)
	}
	s.Launch(k, args)
	return out, s.Sync()
}

func buffer32(t *testing.T, dev engine.Device, n int) engine.Buffer {
	t.Helper()
	b, err := dev.Alloc(int64(4 * n))
	if err != nil {
		t.Fatal(err)
	}
	if uintptr(b.Host())%engine.Align != 0 {
		t.Fatalf("buffer at %p is not aligned to %d", b.Host(), engine.Align)
	}
	return b
}

// Values worked out by hand: what the suite compares others with must not be
// checked against itself alone.
func TestByHand(t *testing.T) {
	conv := engine.Conv{Kernel: engine.IntsOf(2, 2), Stride: engine.IntsOf(1, 2), Pad: engine.IntsOf(0, 1), Dilation: engine.IntsOf(1, 1), Group: 1,
		Epilogue: engine.Epilogue{Bias: true, Act: engine.ActReLU, Slope: 0.5}}
	for _, c := range []struct {
		name   string
		op     engine.Op
		shapes []engine.Shape
		in     [][]float32
		want   []float32
	}{
		{"gemm", engine.Gemm{}, []engine.Shape{{2, 2}, {2, 2}}, [][]float32{{1, 2, 3, 4}, {5, 6, 7, 8}}, []float32{19, 22, 43, 50}},
		{"gemm TransA TransB", engine.Gemm{TransA: true, TransB: true}, []engine.Shape{{2, 2}, {2, 2}}, [][]float32{{1, 2, 3, 4}, {5, 6, 7, 8}}, []float32{23, 31, 34, 46}},
		// rows 1 2 3 / 4 5 6 padded left and right: windows at columns -1 and 1.
		{"conv", conv, []engine.Shape{{1, 1, 2, 3}, {1, 1, 2, 2}, {1}}, [][]float32{{1, 2, 3, 4, 5, 6}, {1, -1, 2, -2}, {3}}, []float32{-3, 0}},
		{"pool max", engine.Pool{Kernel: engine.IntsOf(2), Stride: engine.IntsOf(2), Pad: engine.IntsOf(0), Out: engine.IntsOf(2)},
			[]engine.Shape{{1, 1, 3}}, [][]float32{{1, 4, 2}}, []float32{4, 2}},
		{"pool ave", engine.Pool{Method: engine.AvePool, Kernel: engine.IntsOf(3), Stride: engine.IntsOf(2), Pad: engine.IntsOf(1), Out: engine.IntsOf(3)},
			[]engine.Shape{{1, 1, 4}}, [][]float32{{3, 6, 9, 12}}, []float32{3, 9, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := launchOn(t, c.op, c.shapes, c.in...)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range c.want {
				if out[0][i] != v {
					t.Fatalf("got %v, want %v", out[0], c.want)
				}
			}
		})
	}
}

func TestLabelError(t *testing.T) {
	_, err := launchOn(t, engine.SoftmaxLoss{Axis: 1}, []engine.Shape{{1, 2}, {1}}, []float32{1, 2}, []float32{2})
	var label *engine.LabelError
	if !errors.As(err, &label) || label.Item != 0 || label.Label != 2 || label.Classes != 2 {
		t.Fatalf("got %v, want a LabelError of label 2 at item 0", err)
	}
}
