//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
)

// activation is an op as it stands in a net of images, with the values of its inputs:
// pictures are tensors of four axes, the others have a value a channel.
type activation struct {
	op engine.Op
	in []engine.Shape
}

var picture, pictures = engine.Shape{3, 20, 9, 7}, []engine.Shape{{3, 20, 9, 7}, {3, 20, 9, 7}, {3, 20, 9, 7}, {3, 20, 9, 7}}

func activations() []activation {
	perChannel := engine.Shape{20}
	pool := engine.Pool{Kernel: engine.IntsOf(3, 3), Stride: engine.IntsOf(2, 2), Pad: engine.IntsOf(1, 0), Out: engine.IntsOf(5, 3)}
	ave, small := pool, engine.Shape{3, 20, 5, 3}
	ave.Method = engine.AvePool
	grad := func(p engine.Pool) engine.PoolGrad {
		return engine.PoolGrad{Method: p.Method, Kernel: p.Kernel, Stride: p.Stride, Pad: p.Pad, Out: p.Out, Size: engine.IntsOf(9, 7)}
	}
	lrn := engine.LRN{Size: 5, Alpha: 0.5, Beta: 0.75, K: 1}
	relu := engine.Act(engine.ActReLU)
	return []activation{
		{engine.Reorder{}, pictures[:1]},
		{engine.Unary{Fn: engine.ReLU, A: 0.1}, pictures[:1]},
		{engine.Unary{Fn: engine.Sigmoid}, pictures[:1]},
		{engine.UnaryGrad{Fn: engine.ReLU, A: 0.1}, pictures[:2]},
		{engine.UnaryGrad{Fn: engine.TanH}, pictures[:2]},
		{engine.Binary{Fn: engine.Mul}, pictures[:2]},
		{engine.Binary{Fn: engine.Max}, pictures[:2]},
		{engine.MaxGrad{}, pictures[:3]},
		{engine.Sum{Coeff: engine.FloatsOf(1, -0.5), Act: relu, Slope: 0.25}, pictures[:2]},
		{engine.Sum{}, pictures[:1]}, {engine.Sum{}, pictures[:3]}, {engine.Sum{}, append(pictures, picture)},
		{engine.Broadcast{Fn: engine.BroadcastMul, Axis: 1}, []engine.Shape{picture, perChannel}},
		{engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, []engine.Shape{picture, perChannel}},
		{engine.BroadcastGrad{Fn: engine.BroadcastAdd, Axis: 1, Rank: 1}, pictures[:1]},
		{engine.BroadcastGrad{Fn: engine.BroadcastMul, Axis: 1, Rank: 1}, pictures[:2]},
		{engine.PReLU{}, []engine.Shape{picture, perChannel}},
		{engine.PReLUGrad{}, []engine.Shape{picture, picture, perChannel}},
		{engine.BatchNorm{Eps: 1e-3}, pictures[:1]},
		{engine.BatchNormGrad{Eps: 1e-3}, []engine.Shape{picture, picture, perChannel, perChannel}},
		{engine.BatchNormScale{Eps: 1e-3, Epilogue: engine.Epilogue{Bias: true, Add: true, Act: relu}}, []engine.Shape{picture, perChannel, perChannel, picture}},
		{engine.BatchNormScaleGrad{Eps: 1e-3, Act: relu}, []engine.Shape{picture, picture, perChannel, perChannel, perChannel, picture}},
		{engine.Normalize{Eps: 1e-3}, []engine.Shape{picture, perChannel, perChannel}},
		{engine.NormalizeGrad{Eps: 1e-3}, []engine.Shape{picture, perChannel}},
		{engine.Concat{Axis: 1}, []engine.Shape{picture, {3, 5, 9, 7}, picture}},
		{engine.Slice{Axis: 1, Sizes: engine.IntsOf(4, 11, 5)}, pictures[:1]},
		{pool, pictures[:1]}, {ave, pictures[:1]},
		{grad(pool), []engine.Shape{small, small}}, {grad(ave), []engine.Shape{small}},
		{lrn, pictures[:1]}, {engine.LRNGrad(lrn), pictures[:2]},
		{engine.Reduce{Fn: engine.ReduceSumSq, Coeff: 0.5}, pictures[:1]},
	}
}

// TestActivationsInEveryForm runs what works on pictures in the layout with the
// channels innermost and in bfloat16, and compares with ref on the same rounded input.
func TestActivationsInEveryForm(t *testing.T) {
	d, s := open(t)
	for _, a := range activations() {
		for _, f := range []form{{nhwc, engine.F32, 1e-5}, {engine.Plain, engine.BF16, 1e-2}, {nhwc, engine.BF16, 1e-2}} {
			t.Run(fmt.Sprintf("%+v %v %v", a.op, f.layout, f.dtype), func(t *testing.T) {
				r := &forms{t: t, d: d, s: s, form: f, random: rand.New(rand.NewPCG(17, 1))}
				r.compare(a)
			})
		}
	}
}

// form is how activations are stored, and how near results are to ref's.
type form struct {
	layout engine.Layout
	dtype  engine.DType
	near   float64
}

type forms struct {
	t      *testing.T
	d      *device
	s      *stream
	form   form
	random *rand.Rand
}

// as is the descriptor of a tensor in the form.
func (r *forms) as(d engine.Desc, narrow bool) engine.Desc {
	if len(d.Shape) == 4 {
		d.Layout = r.form.layout
		if narrow && d.DType == engine.F32 {
			d.DType = r.form.dtype
		}
	}
	return d
}

func (r *forms) compare(a activation) {
	var plainIn, in []engine.Desc
	var values [][]float32
	for i, shape := range a.in {
		d := engine.Dense(shape...)
		if _, isPool := a.op.(engine.PoolGrad); isPool && i == 1 {
			d.DType = engine.I32
		}
		plainIn, in = append(plainIn, d), append(in, r.as(d, true))
		values = append(values, r.values(d, in[i].DType == engine.BF16))
	}
	plainOut, err := a.op.Infer(plainIn)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []engine.Desc
	for _, d := range plainOut {
		out = append(out, r.as(d, true))
	}
	want := r.reference(a.op, plainIn, plainOut, values)
	got := r.run(a.op, plainIn, in, plainOut, out, values)
	for i := range want {
		for j, w := range want[i] {
			if diff := float64(got[i][j] - w); !(max(diff, -diff) <= r.form.near*max(1, float64(w), -float64(w))) {
				r.t.Fatalf("output %d, element %d is %g, ref has %g", i, j, got[i][j], w)
			}
		}
	}
}

// values are positive enough for variances; of bfloat16 they are rounded. An index is
// the middle cell of its window.
func (r *forms) values(d engine.Desc, rounded bool) []float32 {
	v := make([]float32, d.Shape.Count())
	for i := range v {
		switch {
		case d.DType == engine.I32:
			o := i % 15
			*(*int32)(unsafe.Pointer(&v[i])) = int32(o/3*2*7 + o%3*2 + 1)
		case len(d.Shape) == 1:
			v[i] = 0.5 + r.random.Float32()
		default:
			v[i] = 2*r.random.Float32() - 0.5
		}
		if rounded {
			v[i] = engine.FromBF16(engine.ToBF16(v[i]))
		}
	}
	return v
}

// reference is what ref computes.
func (r *forms) reference(op engine.Op, in, out []engine.Desc, values [][]float32) [][]float32 {
	dev, err := ref.Open(engine.Config{})
	if err != nil {
		r.t.Fatal(err)
	}
	k, err := dev.Prepare(op, in, out)
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := dev.NewStream()
	if err != nil {
		r.t.Fatal(err)
	}
	args := &engine.Args{}
	for _, v := range values {
		args.In = append(args.In, r.fill(dev, s, int64(4*len(v)), bytesOf(v)))
	}
	for _, d := range out {
		args.Out = append(args.Out, r.fill(dev, s, d.Bytes(), nil))
	}
	s.Launch(k, args)
	return r.read(s, args.Out, out)
}

// fill allocates memory and copies content to it.
func (r *forms) fill(dev engine.Device, s engine.Stream, n int64, content []byte) engine.Buffer {
	b, err := dev.Alloc(n)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := b.Close(); err != nil {
			r.t.Error(err)
		}
	})
	s.CopyIn(b, content)
	return b
}

func (r *forms) read(s engine.Stream, from []engine.Buffer, descs []engine.Desc) [][]float32 {
	var all [][]float32
	for i, b := range from {
		v := make([]float32, descs[i].Shape.Count())
		s.CopyOut(bytesOf(v), b)
		if err := s.Sync(); err != nil {
			r.t.Fatal(err)
		}
		if descs[i].DType == engine.I32 {
			for j := range v {
				v[j] = float32(*(*int32)(unsafe.Pointer(&v[j])))
			}
		}
		all = append(all, v)
	}
	if err := s.Sync(); err != nil {
		r.t.Fatal(err)
	}
	return all
}

func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// run reorders the inputs to the form, runs the op and reorders the outputs back.
func (r *forms) run(op engine.Op, plainIn, in, plainOut, out []engine.Desc, values [][]float32) [][]float32 {
	args, results := &engine.Args{}, []engine.Buffer{}
	for i, d := range in {
		given := r.fill(r.d, r.s, plainIn[i].Bytes(), bytesOf(values[i]))
		args.In = append(args.In, r.fill(r.d, r.s, d.Bytes(), nil))
		r.launch(engine.Reorder{}, plainIn[i:i+1], in[i:i+1], &engine.Args{In: []engine.Buffer{given}, Out: args.In[i:]})
	}
	for _, d := range out {
		args.Out = append(args.Out, r.fill(r.d, r.s, d.Bytes(), nil))
	}
	r.launch(op, in, out, args)
	for i, d := range plainOut {
		results = append(results, r.fill(r.d, r.s, d.Bytes(), nil))
		r.launch(engine.Reorder{}, out[i:i+1], plainOut[i:i+1], &engine.Args{In: args.Out[i : i+1], Out: results[i:]})
	}
	return r.read(r.s, results, plainOut)
}

func (r *forms) launch(op engine.Op, in, out []engine.Desc, args *engine.Args) {
	k, err := r.d.Prepare(op, in, out)
	if errors.Is(err, engine.ErrUnsupported) {
		r.t.Fatalf("%+v of %v: %v", op, in, err)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	if n := k.Workspace(); n > 0 {
		args.Workspace = r.fill(r.d, r.s, n, nil)
	}
	r.s.Launch(k, args)
	if err := errors.Join(r.s.Sync(), k.Close()); err != nil {
		r.t.Fatal(err)
	}
}
