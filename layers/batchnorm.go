package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "BatchNorm", Bottoms: exactly(1), Tops: exactly(1), Check: checkBatchNorm, Lower: lowerBatchNorm})
}

// checkBatchNorm refuses to learn the statistics. Three param entries are the
// exception, Caffe resets those to lr_mult 0 when it reads the file, and NVCaffe
// does so where there are a scale and a shift.
func checkBatchNorm(l *spec.Layer) error {
	if len(l.GetParam()) == 3 || hasScaleBias(l) {
		return nil
	}
	for _, p := range l.GetParam() {
		if p.GetLrMult() != 0 {
			return l.FieldErrorf("param", "Cannot configure batch normalization statistics as layer parameters: set lr_mult: 0.")
		}
	}
	return nil
}

// hasScaleBias reports whether the layer has NVCaffe's two blobs more.
func hasScaleBias(l *spec.Layer) bool {
	p := l.GetBatchNormParam()
	return p.GetScaleBias() || p.GetScaleFiller() != nil || p.GetBiasFiller() != nil
}

// lowerBatchNorm emits top = (x − mean)/√(var + eps) a channel (axis 1; a bottom
// of one axis is one channel). There is no scale and shift: a Scale layer adds
// them. The blobs are mean·s, var·s and s, sums over iterations that weigh the
// batch before last by moving_average_fraction; the solver leaves them alone.
//
// Mean and variance are the batch's, and the blobs advance, unless
// use_global_stats (by default: while testing), where they are the blobs'.
//
// With NVCaffe's scale_bias two more blobs, 1 and 0 where no filler says otherwise,
// are learned: top·scale + shift. NVCaffe's blobs of statistics have s = 1, which
// reads the same; ours go on as Caffe's do.
func lowerBatchNorm(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x := l.GetBatchNormParam(), bottom[0]
	shape := b.Shape(x)
	if len(shape) < 2 {
		x = b.Reshape(x, shape.Count(), 1)
	}
	channels := 1
	if xs := b.Shape(x); len(xs) > 1 {
		channels = xs[1]
	}
	m, v, s := b.FixedParam(engine.Shape{channels}), b.FixedParam(engine.Shape{channels}), b.FixedParam(engine.Shape{1})
	global := l.GetPhase() == caffepb.Phase_TEST
	if p != nil && p.UseGlobalStats != nil {
		global = p.GetUseGlobalStats()
	}
	if global {
		stats := append(b.Ops(engine.MovingStats{}, m, v, s), graph.None, graph.None)
		y := b.Op(engine.Normalize{Eps: p.GetEps()}, x, stats[0], stats[1])
		return []graph.Value{b.Reshape(scaleBias(l, b, y, channels), shape...)}
	}
	out := append(b.Ops(engine.BatchNorm{Eps: p.GetEps()}, x), graph.None, graph.None, graph.None)
	update := engine.MovingUpdate{Fraction: p.GetMovingAverageFraction(), Count: shape.Count() / max(channels, 1)}
	next := b.Ops(update, b.Assigned(m), b.Assigned(v), b.Assigned(s), out[1], out[2])
	for i, n := range next {
		b.Assign([]graph.Value{m, v, s}[i], n)
	}
	return []graph.Value{b.Reshape(scaleBias(l, b, out[0], channels), shape...)}
}

// scaleBias emits NVCaffe's scale and shift, where the layer has them.
func scaleBias(l *spec.Layer, b *graph.Builder, y graph.Value, channels int) graph.Value {
	if !hasScaleBias(l) {
		return y
	}
	p := l.GetBatchNormParam()
	scale, shift := p.GetScaleFiller(), p.GetBiasFiller()
	if scale == nil {
		scale = constant(1)
	}
	if shift == nil {
		shift = constant(0)
	}
	blob := engine.Shape{channels}
	return scaleShift(b, y, b.Param(blob, scale), b.Param(blob, shift))
}
