//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareReduce)
	register(prepareReduceGrad)
}

// What a fold adds up; reduce.cu has the same numbers.
const (
	foldSum = iota
	foldASum
	foldSumSquares
	foldDot
	foldVariance
	foldBatchNormDot
	foldPReLUDot
)

type foldArgs struct {
	A, B, Mean, Var, Act, Y uint64
	Inner, Mid, Splits      div
	Size, Part              uint32
	Fn                      uint32
	Coeff, Eps, Slope       float32
}

type finishArgs struct {
	Part, Y   uint64
	N, Splits uint32
}

var (
	foldRows    = declare[foldArgs]("fold_rows", formF32, formBF16)
	foldColumns = declare[foldArgs]("fold_columns", formF32, formBF16)
	foldFinish  = declare[finishArgs]("fold_finish")
)

// folding is what a fold reads, adds up and writes; b, mean, variance and act may be
// nil; with act, a is multiplied by slope where act is not positive.
type folding struct {
	fn                        uint32
	coeff, eps, slope         float32
	a, b, mean, variance, act pointer
	y                         pointer
}

// foldBlocks is how many blocks a fold is cut into if it is large. It does not
// depend on the GPU, so that sums have the same order on all.
const foldBlocks = 512

// fold folds the outer and the inner axes of a view.
func (b *build) fold(z axes, form string, f folding) {
	size, tiles, least := z.outer*z.inner, z.mid, 4096
	columns := z.inner == 1 && z.mid >= 8
	if columns {
		tiles, least = (z.mid+31)/32, 256
	}
	splits := max(1, min(foldBlocks/tiles, size/least))
	values := z.mid
	if f.fn == foldBatchNormDot {
		values *= 2
	}
	y := f.y
	if splits > 1 {
		y = b.scratch(4 * values * splits)
	}
	args := func(l *launch) foldArgs {
		return foldArgs{A: f.a(l), B: f.b.at(l), Mean: f.mean.at(l), Var: f.variance.at(l), Act: f.act.at(l), Y: y(l),
			Inner: divOf(z.inner), Mid: divOf(z.mid), Splits: divOf(splits),
			Size: uint32(size), Part: uint32((size + splits - 1) / splits), Fn: f.fn, Coeff: f.coeff, Eps: f.eps, Slope: f.slope}
	}
	if columns {
		add(b, foldColumns, form, tiles*splits, 256, args)
	} else {
		add(b, foldRows, form, min(tiles*splits, 1<<16), blockOf((size+splits-1)/splits, 256), args)
	}
	if splits > 1 {
		each(b, foldFinish, "", values, func(l *launch) finishArgs {
			return finishArgs{Part: y(l), Y: f.y(l), N: uint32(values), Splits: uint32(splits)}
		})
	}
}

func prepareReduce(d *device, op engine.Reduce, in, out []engine.Desc) (*kernel, error) {
	if err := plain(op, out[0]); err != nil {
		return nil, err
	}
	if in[0].Layout != engine.Plain && op.Axis > 0 {
		return nil, unsupported(op, "some axes of a tensor in a layout of the device's own")
	}
	rows := in[0].Shape[:op.Axis].Count()
	b := newBuild(d, op, in, out)
	fn := map[engine.ReduceFn]uint32{engine.ReduceSum: foldSum, engine.ReduceASum: foldASum, engine.ReduceSumSq: foldSumSquares}[op.Fn]
	b.fold(axes{1, rows, in[0].Shape.Count() / rows}, formOf(in[0].DType), folding{fn: fn, coeff: op.Coeff, a: input(0), y: output(0)})
	return b.kernel()
}

type reduceGradArgs struct {
	DY, X, Y uint64
	Inner    div
	N, Fn    uint32
	Coeff    float32
}

var reduceGrad = declare[reduceGradArgs]("reduce_grad", formF32)

func prepareReduceGrad(d *device, op engine.ReduceGrad, in, out []engine.Desc) (*kernel, error) {
	n := in[1].Shape.Count()
	b := newBuild(d, op, in, out)
	each(b, reduceGrad, formF32, n, func(l *launch) reduceGradArgs {
		return reduceGradArgs{DY: l.in[0], X: l.in[1], Y: l.out[0], Inner: divOf(in[1].Shape[op.Axis:].Count()), N: uint32(n), Fn: uint32(op.Fn), Coeff: op.Coeff}
	})
	return b.kernel()
}
