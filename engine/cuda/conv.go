//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

func init() {
	registerAny(func(d *device, op engine.Conv, in, out []engine.Desc) (*kernel, error) {
		c := convolution{op: op, forward: op, direction: shim.CudnnForward, x: in[0], w: in[1], y: out[0], epilogue: op.Epilogue, extra: in[2:]}
		return d.prepareConv(c, in, out)
	})
	registerAny(func(d *device, op engine.ConvGradData, in, out []engine.Desc) (*kernel, error) {
		c := convolution{op: op, forward: op.Forward(), direction: shim.CudnnGradData, x: out[0], w: in[1], y: in[0], epilogue: op.Epilogue, extra: in[2:]}
		return d.prepareConv(c, in, out)
	})
	registerAny(prepareConvGradWeights)
}

// convolution is a convolution in any direction, in the words of the forward one.
type convolution struct {
	op        engine.Op
	forward   engine.Conv
	direction shim.CudnnDirection
	x, w, y   engine.Desc
	epilogue  engine.Epilogue
	extra     []engine.Desc // the epilogue's inputs
}

// out is the tensor that is computed, in those the two that it is computed from.
func (c *convolution) out() *engine.Desc {
	return []*engine.Desc{&c.y, &c.x, &c.w}[c.direction]
}

func (c *convolution) ins() []engine.Desc {
	return [][]engine.Desc{{c.x, c.w}, {c.y, c.w}, {c.x, c.y}}[c.direction]
}

// check refuses what the shapes cannot be; Infer of the gradients does not see all of it.
func (c *convolution) check() error {
	f := c.forward
	f.Epilogue = engine.Epilogue{}
	y, err := f.Infer([]engine.Desc{engine.Dense(c.x.Shape...), engine.Dense(c.w.Shape...)})
	if err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	if !y[0].Shape.Equal(c.y.Shape) {
		return fmt.Errorf("cuda: %T: x of %v and w of %v give y of %v, not %v", c.op, c.x.Shape, c.w.Shape, y[0].Shape, c.y.Shape)
	}
	if len(c.x.Shape) > 5 {
		return unsupported(c.op, "more than 3 spatial axes")
	}
	for _, t := range append(c.ins(), *c.out()) {
		if t.Layout != c.x.Layout {
			return unsupported(c.op, "tensors of several layouts")
		}
	}
	return nil
}

// prepareConv builds a convolution: with its epilogue in one of the library's kernels, or
// followed by our own.
func (d *device) prepareConv(c convolution, in, out []engine.Desc) (*kernel, error) {
	if c.out().DType == engine.None {
		return nil, unsupported(c.op, "nobody reads it")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	b := newBuild(d, c.op, in, out)
	clip := c.epilogue
	if clip.Act == engine.ActClip { // in a pass of its own, behind all others
		c.epilogue.Act, c.epilogue.Low, c.epilogue.High = engine.ActNone, 0, 0
	}
	ins := []pointer{input(0), input(1)}
	a, fused, err := d.convolve(c.narrowBias())
	if isUnsupported(err) && c.widens() {
		ins = []pointer{b.widened(0, in[0]), b.widened(1, in[1])}
		c.widen()
		a, fused, err = d.convolve(c)
	}
	if err != nil {
		b.fail(err)
		return b.kernel()
	}
	if fused {
		for i := range c.epilogue.Inputs() {
			ins = append(ins, input(2+i))
		}
		if c.narrowsBias() {
			ins[2] = b.converted(2, c.extra[0], formF32+formBF16)
		}
	}
	b.addAlgo(a, ins, output(0))
	if !fused {
		b.addEpilogue(c.epilogue, *c.out(), c.extra, 2)
	}
	if clip.Act == engine.ActClip {
		b.addClip(clip, *c.out())
	}
	return b.kernel()
}

// narrowsBias reports whether a bias is added in bfloat16, as its result is. cuDNN has
// ready-made engines for that, and for a float32 bias such that it compiles at run time.
func (c *convolution) narrowsBias() bool {
	return c.direction == shim.CudnnForward && c.epilogue.Bias && c.y.DType == engine.BF16 && c.extra[0].DType == engine.F32
}

// narrowBias is the convolution with its bias in bfloat16, where that is so.
func (c convolution) narrowBias() convolution {
	if c.narrowsBias() {
		c.extra = slices.Clone(c.extra)
		c.extra[0].DType = engine.BF16
	}
	return c
}

// widens reports whether the result is float32 and something that it is computed from is
// not. cuDNN has that for few shapes; bfloat16 numbers are exact in TF32 too.
func (c *convolution) widens() bool {
	ins := c.ins()
	return c.out().DType == engine.F32 && (ins[0].DType == engine.BF16 || ins[1].DType == engine.BF16)
}

// widen makes the tensors float32.
func (c *convolution) widen() { c.x.DType, c.w.DType, c.y.DType = engine.F32, engine.F32, engine.F32 }

// prepareConvGradWeights is the gradient of the weights, and the sum of dy over all but the
// channels. cuDNN sums in float32 too, but has been seen to take most of a step for it with
// channels innermost; ours does not. Of bfloat16 tensors cuDNN gives the weights' gradient
// in bfloat16 only: float32 sums, rounded once.
func prepareConvGradWeights(d *device, op engine.ConvGradWeights, in, out []engine.Desc) (*kernel, error) {
	c := convolution{op: op, forward: op.Forward(), direction: shim.CudnnGradWeights, x: in[0], w: out[0], y: in[1]}
	b := newBuild(d, op, in, out)
	if c.w.DType != engine.None {
		if err := c.check(); err != nil {
			return nil, err
		}
		dw, narrow := output(0), c.x.DType == engine.BF16
		if narrow {
			c.w.DType = engine.BF16
			dw = b.scratch(int(c.w.Bytes()))
		}
		a, _, err := d.convolve(c)
		if err != nil {
			return nil, err
		}
		b.addAlgo(a, []pointer{input(0), input(1)}, dw)
		if n := c.w.Shape.Count(); narrow {
			each(b, convert, formBF16+formF32, n, func(l *launch) convertArgs { return convertArgs{dw(l), l.out[0], uint32(n)} })
		}
	}
	if op.Bias && out[1].DType != engine.None {
		if err := plain(op, out[1]); err != nil {
			b.fail(err)
			return b.kernel()
		}
		z, err := viewOf(op, in[1], 1, 1)
		if err != nil {
			b.fail(err)
			return b.kernel()
		}
		b.fold(z, formOf(in[1].DType), folding{fn: foldSum, coeff: 1, a: input(1), y: output(1)})
	}
	return b.kernel()
}

// convolve finds the best algo, and says whether it does the epilogue too. float32 tensors
// in Caffe's order are the legacy API's: its kernels for them are exact. All others are the
// graph API's.
func (d *device) convolve(c convolution) (a *algo, fused bool, err error) {
	h, err := d.cudnn()
	if err != nil {
		return nil, false, d.refused(c.op, err)
	}
	if c.legacy() {
		a, err := d.chooseLegacy(h, c)
		return a, false, d.refused(c.op, err)
	}
	if c.epilogue != (engine.Epilogue{}) {
		a, err := d.chooseGraph(h, c)
		if err == nil || !isUnsupported(err) {
			return a, true, d.refused(c.op, err)
		}
		c.epilogue, c.extra = engine.Epilogue{}, nil
	}
	a, err = d.chooseGraph(h, c)
	return a, false, d.refused(c.op, err)
}

func isUnsupported(err error) bool {
	return errors.Is(err, engine.ErrUnsupported) || errors.Is(err, shim.ErrNotSupported)
}

func (c *convolution) legacy() bool {
	for _, t := range append(c.ins(), *c.out()) {
		if t.DType != engine.F32 || t.Layout != engine.Plain {
			return false
		}
	}
	return true
}

// key names the convolution in the cache of plans.
func (c *convolution) key(precision string) string {
	f := c.forward
	f.Epilogue = c.epilogue
	return fmt.Sprintf("%T %+v x %v w %v y %v extra %v %s", c.op, f, c.x, c.w, c.y, c.extra, precision)
}

// problem is the convolution as a contest of algos. Each element of y is a sum over the
// kernel and the channels of a group, in every direction.
func (d *device) problem(c convolution) problem {
	p := problem{op: c.op, key: c.key(d.precision), work: int64(c.y.Shape.Count()) * int64(c.w.Shape[1:].Count())}
	for _, t := range append(append(c.ins(), c.extra...), *c.out()) {
		p.bytes = append(p.bytes, t.Bytes())
	}
	return p
}

// twoAxes gives a list of the spatial axes at least two entries, as cuDNN wants it, by
// leading ones of the value that changes nothing.
func twoAxes(list []int, neutral int) []int {
	for len(list) < 2 {
		list = append([]int{neutral}, list...)
	}
	return list
}

// dims are a tensor's dimensions with at least two spatial axes.
func dims(s engine.Shape) []int {
	return append(slices.Clone([]int(s[:2])), twoAxes(slices.Clone([]int(s[2:])), 1)...)
}

// exact are the algorithms of the legacy API that multiply and add each product once, in
// float32, in an order that is always the same: implicit products of matrices. The others
// transform first (FFT, Winograd), which rounds differently than Caffe, or add with atomics.
var exact = map[shim.CudnnDirection][]int{
	shim.CudnnForward:     {0, 1, 2}, // IMPLICIT_GEMM, IMPLICIT_PRECOMP_GEMM, GEMM
	shim.CudnnGradData:    {1},       // ALGO_1
	shim.CudnnGradWeights: {1},       // ALGO_1
}

// chooseLegacy chooses among the legacy API's algorithms: in fp32 the exact ones with FMA
// arithmetic; in tf32 all that give the same bits each time.
func (d *device) chooseLegacy(h *shim.CudnnHandle, c convolution) (*algo, error) {
	f := c.forward
	math := shim.CudnnFMAMath
	if d.precision == engine.PrecisionTF32 {
		math = shim.CudnnDefaultMath // TF32 for float32 on the GPUs that have it
	}
	z := shim.CudnnConvShape{X: dims(c.x.Shape), W: dims(c.w.Shape), Y: dims(c.y.Shape),
		Pad: twoAxes(f.Pad.List(), 0), Stride: twoAxes(f.Stride.List(), 1), Dilation: twoAxes(f.Dilation.List(), 1), Groups: f.Group, Math: math}
	conv, err := h.NewConv(c.direction, z)
	if err != nil {
		return nil, err
	}
	list, err := conv.Algos()
	if err != nil {
		return nil, errors.Join(err, conv.Close())
	}
	var proposals []proposal
	for _, o := range list {
		if !o.Deterministic || math == shim.CudnnFMAMath && (o.Math != math || !slices.Contains(exact[c.direction], o.Algo)) {
			continue
		}
		proposals = append(proposals, proposal{name: fmt.Sprintf("algorithm %d, math %d", o.Algo, o.Math), make: func() (*algo, error) {
			return newLegacy(h, c.direction, z, o)
		}})
	}
	a, err := d.choose(d.problem(c), proposals)
	return a, errors.Join(err, conv.Close())
}

// newLegacy is one algorithm with descriptors of its own.
func newLegacy(h *shim.CudnnHandle, direction shim.CudnnDirection, z shim.CudnnConvShape, o shim.CudnnAlgo) (*algo, error) {
	z.Math = o.Math
	conv, err := h.NewConv(direction, z)
	if err != nil {
		return nil, err
	}
	space, err := conv.Workspace(o.Algo)
	if err != nil {
		return nil, errors.Join(err, conv.Close())
	}
	return &algo{name: fmt.Sprintf("algorithm %d, math %d", o.Algo, o.Math), workspace: space, close: conv.Close,
		run: func(q *shim.Stream, in []uint64, out, workspace uint64) error {
			return conv.Run(q, o.Algo, in[0], in[1], out, workspace, space)
		}}, nil
}

// unwanted are notes of the graph API's engines that sum in less than float32, differ from
// run to run, or transform bfloat16 values before they multiply.
var unwanted = []int32{shim.NoteReducedReduction, shim.NoteNondeterministic, shim.NoteWinograd, shim.NoteFFT}

// chooseGraph chooses among the graph API's engines.
func (d *device) chooseGraph(h *shim.CudnnHandle, c convolution) (*algo, error) {
	g, err := h.NewGraph(c.graph())
	if err != nil {
		return nil, err
	}
	configs, err := g.Configs()
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	var proposals []proposal
	for i, o := range configs {
		if slices.ContainsFunc(unwanted, func(n int32) bool { return slices.Contains(o.Notes, n) }) ||
			d.precision == engine.PrecisionFP32 && slices.Contains(o.Notes, shim.NoteTensorCore) {
			continue
		}
		name := fmt.Sprintf("engine %d, proposal %d", o.Engine, i)
		proposals = append(proposals, proposal{name: name, make: func() (*algo, error) {
			p, err := g.Plan(o)
			if err != nil {
				return nil, err
			}
			return &algo{name: name, workspace: p.Workspace, close: p.Close,
				run: func(q *shim.Stream, in []uint64, out, workspace uint64) error {
					return p.Run(q, append(slices.Clone(in), out), workspace)
				}}, nil
		}})
	}
	a, err := d.choose(d.problem(c), proposals)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	plan := a.close
	a.close = func() error { return errors.Join(plan(), g.Close()) }
	return a, nil
}

// graph is the convolution in the graph API's words.
func (c *convolution) graph() shim.CudnnGraphShape {
	f := c.forward
	z := shim.CudnnGraphShape{Direction: c.direction, Plain: c.x.Layout == engine.Plain,
		X: dims(c.x.Shape), W: dims(c.w.Shape), Y: dims(c.y.Shape),
		TypeX: cudnnType(c.x), TypeW: cudnnType(c.w), TypeY: cudnnType(c.y),
		Pad: twoAxes(f.Pad.List(), 0), Stride: twoAxes(f.Stride.List(), 1), Dilation: twoAxes(f.Dilation.List(), 1),
		Bias: c.epilogue.Bias, Add: c.epilogue.Add, ReLU: c.epilogue.Act == engine.ActReLU, Slope: c.epilogue.Slope}
	extra := c.extra
	if z.Bias {
		z.TypeBias, extra = cudnnType(extra[0]), extra[1:]
	}
	if z.Add {
		z.TypeAdd = cudnnType(extra[0])
	}
	return z
}

func cudnnType(t engine.Desc) int {
	if t.DType == engine.BF16 {
		return shim.CudnnBFloat16
	}
	return shim.CudnnFloat
}
