package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "Eltwise", Bottoms: atLeast(2), Tops: exactly(1), Check: checkEltwise, Lower: lowerEltwise})
}

func checkEltwise(l *spec.Layer) error {
	p := l.GetEltwiseParam()
	n := len(p.GetCoeff())
	switch {
	case n != 0 && n != len(l.GetBottom()):
		return l.FieldErrorf("eltwise_param.coeff", "Eltwise Layer takes one coefficient per bottom blob: %d coefficients, %d bottoms.", n, len(l.GetBottom()))
	case n != 0 && p.GetOperation() == caffepb.EltwiseParameter_PROD:
		return l.FieldErrorf("eltwise_param.coeff", "Eltwise layer only takes coefficients for summation.")
	}
	return nil
}

// lowerEltwise emits the product, the weighted sum or the maximum of bottoms of
// one shape. Where the first two bottoms tie for the maximum the second gets the
// gradient, otherwise the earlier one, as in Caffe. The product's gradient is
// always the stable one, which does not divide.
func lowerEltwise(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetEltwiseParam()
	for i, x := range bottom {
		if !b.Shape(x).Equal(b.Shape(bottom[0])) {
			b.Failf("bottoms must have one shape: bottom[0] (%s): %v, bottom[%d] (%s): %v", l.GetBottom()[0], b.Shape(bottom[0]), i, l.GetBottom()[i], b.Shape(x))
			return nil
		}
	}
	if p.GetOperation() == caffepb.EltwiseParameter_SUM {
		return []graph.Value{b.Op(engine.Sum{Coeff: engine.FloatsOf(p.GetCoeff()...)}, bottom...)}
	}
	y := bottom[0]
	for i, x := range bottom[1:] {
		op := engine.Binary{Fn: engine.Mul}
		if p.GetOperation() == caffepb.EltwiseParameter_MAX {
			op = engine.Binary{Fn: engine.Max, TieSecond: i == 0}
		}
		y = b.Op(op, y, x)
	}
	return []graph.Value{y}
}
