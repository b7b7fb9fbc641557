package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "MarginInnerProduct", From: "SphereFace", Bottoms: exactly(2), Tops: between(1, 2), Check: checkMarginInnerProduct, Lower: lowerMarginInnerProduct})
}

func checkMarginInnerProduct(l *spec.Layer) error {
	if l.GetMarginInnerProductParam().GetNumOutput() == 0 {
		return l.FieldErrorf("margin_inner_product_param", "num_output must be set and positive")
	}
	return nil
}

// lowerMarginInnerProduct emits bottom[0]·Wᵀ as InnerProduct without a bias does,
// each row of W made one of length 1, which the blob keeps; for the labelled class
// bottom[1] with a margin (engine.Margin; SphereFace). The second top is λ,
// max(lambda_min, base·(1 + gamma·t)^−power), t the forward passes so far and
// iteration before them; a resumed training begins at iteration again, as in the
// fork.
func lowerMarginInnerProduct(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, shape := l.GetMarginInnerProductParam(), b.Shape(bottom[0])
	axis := b.Axis(bottom[0], int(p.GetAxis()))
	if b.Err() != nil {
		return nil
	}
	rows, length, classes := shape[:axis].Count(), shape[axis:].Count(), int(p.GetNumOutput())
	if b.Shape(bottom[1]).Count() != rows {
		b.Failf("Number of labels must match number of output: %s has shape %v, %s has %v", l.GetBottom()[0], shape, l.GetBottom()[1], b.Shape(bottom[1]))
		return nil
	}
	weights := b.Param(engine.Shape{classes, length}, p.GetWeightFiller())
	unit := unitRows(b, weights)
	x := b.Reshape(bottom[0], rows, length)
	product := b.Op(engine.Gemm{TransB: true}, x, unit)
	lambda := marginLambda(b, p)
	y := product
	if p.GetType() != caffepb.MarginInnerProductParameter_SINGLE {
		y = withMargin(b, engine.Margin{Times: int(p.GetType()) + 1}, x, unit, product, bottom[1], lambda)
	}
	tops := []graph.Value{b.Reshape(y, append(shape[:axis:axis], classes)...), lambda}
	return tops[:max(1, len(l.GetTop()))]
}

// unitRows makes the rows of the weights have length 1, for good. Their gradient
// is that of the rows as they are then.
func unitRows(b *graph.Builder, weights graph.Value) graph.Value {
	unit := b.Op(engine.L2Norm{Eps: 1e-30}, b.Assigned(weights)) // rows of zeros stay zeros
	b.CustomGrad(unit, func(_ *graph.Builder, dy []graph.Value) []graph.Value { return dy[:1] })
	b.Assign(weights, unit)
	return unit
}

// marginLambda emits the weight of the plain product, which each forward pass lowers.
func marginLambda(b *graph.Builder, p *caffepb.MarginInnerProductParameter) graph.Value {
	before := b.State("passes", 1)
	now := b.Op(engine.Unary{Fn: engine.Power, A: 1, B: 1, C: 1}, before)
	b.Assign(before, now)
	decay := engine.Unary{Fn: engine.Power, A: -p.GetPower(), B: p.GetGamma(), C: 1 + p.GetGamma()*float32(p.GetIteration())}
	lambda := b.Scaled(b.Op(decay, now), p.GetBase())
	return constantValue(b, b.Op(engine.Binary{Fn: engine.Max}, lambda, b.Const(p.GetLambdaMin(), 1)))
}

// withMargin emits the products with the margin. The gradient of the weights is
// that of the plain product (SphereFace).
func withMargin(b *graph.Builder, op engine.Margin, x, unit, product, label, lambda graph.Value) graph.Value {
	label = b.Stop(label)
	squares := b.Op(engine.Reduce{Fn: engine.ReduceSumSq, Axis: 1, Coeff: 1}, b.Stop(x))
	norm := b.Op(engine.Unary{Fn: engine.Power, A: 0.5, B: 1}, squares)
	y := b.Op(op, product, norm, label, lambda)
	// y's gradient is made before that of the product, which needs its parts.
	dtop, share := graph.None, graph.None
	b.CustomGrad(y, func(b *graph.Builder, dy []graph.Value) []graph.Value {
		parts := append(b.Ops(engine.MarginGrad(op), dy[0], product, norm, label, lambda), graph.None, graph.None)
		dtop, share = dy[0], parts[1]
		return []graph.Value{parts[0], graph.None, graph.None, graph.None}
	})
	b.CustomGrad(product, func(b *graph.Builder, d []graph.Value) []graph.Value {
		along := b.Op(engine.Broadcast{Fn: engine.BroadcastMul}, x, share)
		dx := b.Op(engine.Sum{}, b.Op(engine.Gemm{}, d[0], unit), along)
		return []graph.Value{dx, b.Op(engine.Gemm{TransA: true}, dtop, x)}
	})
	return y
}
