package engine_test

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// What a net can get wrong must be an error of Infer, not a panic there or in a
// kernel that trusts it.
func TestInferRefuses(t *testing.T) {
	two, one, none := engine.IntsOf(2, 2), engine.IntsOf(1, 1), engine.IntsOf(0, 0)
	conv := engine.Conv{Kernel: two, Stride: one, Pad: none, Dilation: one, Group: 1}
	short, still, back := conv, conv, conv
	short.Stride, still.Stride, back.Pad = engine.IntsOf(1), none, engine.IntsOf(-1, 0)
	image, plane := engine.Dense(1, 4, 5, 5), engine.Dense(1, 4, 4, 4)
	w := engine.Dense(4, 4, 2, 2)
	picture := engine.Desc{DType: engine.U8, Shape: engine.Shape{1, 3, 8, 8}}
	pool := engine.Pool{Kernel: two, Stride: one, Pad: none, Out: engine.IntsOf(4, 4)}
	gappy := pool
	gappy.Kernel = engine.IntsOf(2)
	for _, c := range []struct {
		name string
		op   engine.Op
		in   []engine.Desc
	}{
		{"conv of too few strides", short, []engine.Desc{image, w}},
		{"conv of stride 0", still, []engine.Desc{image, w}},
		{"conv of pad -1", back, []engine.Desc{image, w}},
		{"conv without w", conv, []engine.Desc{image}},
		{"conv of a small image", conv, []engine.Desc{engine.Dense(1, 4, 1, 5), w}},
		{"conv gradient of no group", engine.ConvGradData{Kernel: two, Size: engine.IntsOf(5, 5)}, []engine.Desc{plane, w}},
		{"conv gradient without a size", engine.ConvGradData{Kernel: two, Group: 1}, []engine.Desc{plane, w}},
		{"weight gradient of no group", engine.ConvGradWeights{Kernel: two}, []engine.Desc{image, plane}},
		{"pool of one kernel size", gappy, []engine.Desc{image}},
		{"pool gradient of another size", engine.PoolGrad{Method: engine.AvePool, Kernel: two, Stride: one, Pad: none, Out: engine.IntsOf(3, 3), Size: engine.IntsOf(5, 5)}, []engine.Desc{plane}},
		{"batch norm gradient of other channels", engine.BatchNormGrad{}, []engine.Desc{image, image, engine.Dense(3), engine.Dense(3)}},
		{"batch norm with a scale of other channels", engine.BatchNormScale{}, []engine.Desc{image, engine.Dense(3)}},
		{"batch norm gradient without the ReLU's output", engine.BatchNormScaleGrad{Act: engine.ActReLU},
			[]engine.Desc{image, image, engine.Dense(4), engine.Dense(4), engine.Dense(4)}},
		{"normalize gradient of a scalar", engine.NormalizeGrad{}, []engine.Desc{engine.Dense(), engine.Dense(1)}},
		{"moving stats of other sizes", engine.MovingStats{}, []engine.Desc{engine.Dense(4), engine.Dense(3), engine.Dense(1)}},
		{"moving update of other sizes", engine.MovingUpdate{}, []engine.Desc{engine.Dense(4), engine.Dense(4), engine.Dense(1), engine.Dense(4), engine.Dense(5)}},
		{"reduce gradient of another shape", engine.ReduceGrad{Axis: 1}, []engine.Desc{engine.Dense(2), image}},
		{"softmax gradient of axis 4", engine.SoftmaxGrad{Axis: 4}, []engine.Desc{image, image}},
		{"loss gradient of few labels", engine.SoftmaxLossGrad{Axis: 1}, []engine.Desc{image, engine.Dense(24), engine.Dense()}},
		{"loss gradient of two losses", engine.SoftmaxLossGrad{Axis: 1}, []engine.Desc{image, engine.Dense(25), engine.Dense(2)}},
		{"sigmoid loss gradient of few targets", engine.SigmoidLossGrad{}, []engine.Desc{image, engine.Dense(25), engine.Dense()}},
		{"PReLU gradient of other channels", engine.PReLUGrad{}, []engine.Desc{image, image, engine.Dense(3)}},
		{"LRN of no channel", engine.LRN{}, []engine.Desc{image}},
		{"slice of a negative size", engine.Slice{Axis: 1, Sizes: engine.IntsOf(5, -1)}, []engine.Desc{image}},
		{"argmax of nothing", engine.ArgMax{}, []engine.Desc{image}},
		{"gather from a scalar", engine.Gather{}, []engine.Desc{engine.Dense(), engine.Dense(2)}},
		{"gather gradient of other indices", engine.GatherGrad{Rows: 4}, []engine.Desc{engine.Dense(3, 2), engine.Dense(2)}},
		{"more nonzero elements than there are", engine.Nonzero{Count: 3}, []engine.Desc{engine.Dense(2)}},
		{"one-hot of no class", engine.OneHot{}, []engine.Desc{engine.Dense(2)}},
		{"im2col without spatial axes", engine.Im2col{}, []engine.Desc{engine.Dense(2, 3)}},
		{"im2col of a small image", engine.Im2col{Kernel: two, Stride: one, Pad: none, Dilation: one}, []engine.Desc{engine.Dense(1, 4, 1, 5)}},
		{"col2im of another size", engine.Col2im{Kernel: two, Stride: one, Pad: none, Dilation: one, Size: engine.IntsOf(4, 4)}, []engine.Desc{plane}},
		{"infogain loss of a small H", engine.InfogainLoss{Axis: 1}, []engine.Desc{image, engine.Dense(25), engine.Dense(3, 4)}},
		{"infogain gradient of two losses", engine.InfogainLossGrad{Axis: 1}, []engine.Desc{image, engine.Dense(25), engine.Dense(4, 4), engine.Dense(2)}},
		{"update without hyper", engine.Update{}, []engine.Desc{w, w, w, engine.Dense()}},
		{"mask of a short seed", engine.RandomMask{Ratio: 0.5, Shape: two}, []engine.Desc{engine.Dense(3)}},
		{"mask that keeps nothing", engine.RandomMask{Ratio: 1, Shape: two}, []engine.Desc{engine.Dense(engine.SeedSize)}},
		{"pixels of float32", engine.Pixels{Scale: 1}, []engine.Desc{image, engine.Dense(1, engine.WindowSize), engine.Dense(4)}},
		{"pixels of another number of windows", engine.Pixels{Scale: 1}, []engine.Desc{picture, engine.Dense(2, engine.WindowSize), engine.Dense(3)}},
		{"pixels of a mean image that is too small", engine.Pixels{Scale: 1}, []engine.Desc{picture, engine.Dense(1, engine.WindowSize), engine.Dense(3, 8, 7)}},
		{"pixels of two mean values", engine.Pixels{Scale: 1}, []engine.Desc{picture, engine.Dense(1, engine.WindowSize), engine.Dense(2)}},
		{"update of no param", engine.UpdateAll{}, []engine.Desc{engine.Dense(engine.HyperSize)}},
		{"update of two params with tensors for one", engine.UpdateAll{Rates: engine.FloatsOf(1, 1), Decays: engine.FloatsOf(0, 0)},
			[]engine.Desc{w, w, w, engine.Dense(engine.HyperSize)}},
		{"broadcast gradient of negative rank", engine.BroadcastGrad{Fn: engine.BroadcastAdd, Axis: 1, Rank: -1}, []engine.Desc{image}},
	} {
		if out, err := c.op.Infer(c.in); err == nil {
			t.Errorf("%s: inferred %v", c.name, out)
		}
	}
}
