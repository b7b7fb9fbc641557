package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "BN", From: "SegNet, PSPNet", Bottoms: exactly(1), Tops: between(1, 3), Check: checkBN, Lower: lowerBN})
}

// bnFork tells whose layer a BN is: PSPNet's has fields of its own, or more than
// two param entries. It also gives a field of the other fork, "" without one.
func bnFork(l *spec.Layer) (pspnet bool, foreign string) {
	p := l.GetBnParam()
	if p == nil {
		return len(l.GetParam()) > 2, ""
	}
	pspnet = len(l.GetParam()) > 2 || p.SlopeFiller != nil || p.BiasFiller != nil || p.Momentum != nil || p.Eps != nil || p.Frozen != nil || p.Engine != nil
	if !pspnet {
		return false, ""
	}
	switch {
	case p.ScaleFiller != nil:
		foreign = "scale_filler"
	case p.ShiftFiller != nil:
		foreign = "shift_filler"
	case p.BnMode != nil:
		foreign = "bn_mode"
	}
	return true, foreign
}

func checkBN(l *spec.Layer) error {
	pspnet, foreign := bnFork(l)
	switch {
	case foreign != "":
		return l.FieldErrorf("bn_param."+foreign, "is a field of SegNet's BN, but the layer has fields (or more than two param entries) of PSPNet's")
	case pspnet && len(l.GetTop()) > 1:
		return l.FieldErrorf("top", "PSPNet's BN takes at most 1 top blob(s) as output, not %d", len(l.GetTop()))
	case !pspnet && l.GetBnParam().GetBnMode() == caffepb.BNParameter_INFERENCE && len(l.GetTop()) > 1:
		return l.FieldErrorf("top", "BN has the batch's mean and variance as tops only with bn_mode: LEARN")
	}
	return nil
}

// lowerBN emits top = s·(x − mean)/√(var + eps) + t a channel, s and t learned.
// There are two layers of that name. SegNet's has the blobs s and t; the
// statistics are always the batch's, and with bn_mode INFERENCE there are none,
// top = s·x + t; further tops are mean and variance. PSPNet's has the blobs s, t,
// and moving averages of mean and variance, which advance while training by
// momentum, and which are the statistics while testing or with frozen.
func lowerBN(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x := b.Shape(bottom[0])
	if len(x) < 2 || len(x) > 4 {
		b.Failf("bottom %s has shape %v: want 2 to 4 axes", l.GetBottom()[0], x)
		return nil
	}
	if pspnet, _ := bnFork(l); pspnet {
		return lowerBNPSPNet(l, b, bottom[0], x[1])
	}
	return lowerBNSegNet(l, b, bottom[0], x[1])
}

// segNetEps is the eps of SegNet's BN, which has no field for it.
const segNetEps = 1e-9

func lowerBNSegNet(l *spec.Layer, b *graph.Builder, x graph.Value, channels int) []graph.Value {
	p := l.GetBnParam()
	scale, shift := bnParams(b, channels, p.GetScaleFiller(), p.GetShiftFiller())
	if p.GetBnMode() == caffepb.BNParameter_INFERENCE {
		return []graph.Value{scaleShift(b, x, scale, shift)}
	}
	out := b.Ops(engine.BatchNorm{Eps: segNetEps}, x)
	if out == nil {
		return nil
	}
	tops := []graph.Value{scaleShift(b, out[0], scale, shift)}
	for _, statistic := range out[1:len(l.GetTop())] {
		tops = append(tops, constantValue(b, b.Reshape(statistic, 1, channels, 1, 1)))
	}
	return tops
}

func lowerBNPSPNet(l *spec.Layer, b *graph.Builder, x graph.Value, channels int) []graph.Value {
	p := l.GetBnParam()
	slope, bias := bnParams(b, channels, p.GetSlopeFiller(), p.GetBiasFiller())
	blob := engine.Shape{1, channels, 1, 1}
	mean, variance := b.FixedParam(blob), b.FixedParam(blob)
	if p.GetFrozen() || l.GetPhase() == caffepb.Phase_TEST {
		y := b.Op(engine.Normalize{Eps: p.GetEps()}, x, b.Reshape(mean, channels), b.Reshape(variance, channels))
		return []graph.Value{scaleShift(b, y, slope, bias)}
	}
	out := b.Ops(engine.BatchNorm{Eps: p.GetEps()}, x)
	if out == nil {
		return nil
	}
	step := engine.Sum{Coeff: engine.FloatsOf(p.GetMomentum(), 1-p.GetMomentum())}
	b.Assign(mean, b.Op(step, b.Assigned(mean), b.Reshape(out[1], blob...)))
	b.Assign(variance, b.Op(step, b.Assigned(variance), b.Reshape(out[2], blob...)))
	return []graph.Value{scaleShift(b, out[0], slope, bias)}
}

// bnParams declares scale and shift, blobs of shape 1 × channels × 1 × 1, and
// gives them as vectors.
func bnParams(b *graph.Builder, channels int, scale, shift *caffepb.FillerParameter) (s, t graph.Value) {
	blob := engine.Shape{1, channels, 1, 1}
	s, t = b.Param(blob, scale), b.Param(blob, shift)
	return b.Reshape(s, channels), b.Reshape(t, channels)
}

func scaleShift(b *graph.Builder, x, scale, shift graph.Value) graph.Value {
	y := b.Op(engine.Broadcast{Fn: engine.BroadcastMul, Axis: 1}, x, scale)
	return b.Op(engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, y, shift)
}

// constantValue is v for further layers, which get no gradient from it.
func constantValue(b *graph.Builder, v graph.Value) graph.Value {
	y := b.Alias(v)
	b.CustomGrad(y, func(*graph.Builder, []graph.Value) []graph.Value { return []graph.Value{graph.None} })
	return y
}
