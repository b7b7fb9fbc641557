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

func TestLabelError(t *testing.T) {
	_, err := launchOn(t, engine.SoftmaxLoss{Axis: 1}, []engine.Shape{{1, 2}, {1}}, []float32{1, 2}, []float32{2})
	var label *engine.LabelError
	if !errors.As(err, &label) || label.Item != 0 || label.Label != 2 || label.Classes != 2 {
		t.Fatalf("got %v, want a LabelError of label 2 at item 0", err)
	}
}
