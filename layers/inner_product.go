package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{
		Type: "InnerProduct", Bottoms: exactly(1), Tops: exactly(1),
		Check: checkInnerProduct, Lower: lowerInnerProduct,
	})
}

// checkInnerProduct rejects what needs no shapes to reject.
func checkInnerProduct(l *spec.Layer) error {
	if l.GetInnerProductParam().GetNumOutput() == 0 {
		return l.FieldErrorf("inner_product_param", "inner_product_param.num_output must be positive")
	}
	return nil
}

// lowerInnerProduct emits top = flatten(bottom)·Wᵀ + b.
//
// Axes from p.axis on are one inner dimension: bottom (N, C, H, W) with axis 1
// is M=N rows of K=C·H·W. W is num_output×K, or K×num_output with transpose,
// which is how .caffemodel files store it. Without bias_term no op is emitted.
func lowerInnerProduct(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetInnerProductParam()
	x := bottom[0]
	axis := b.Axis(x, int(p.GetAxis()))
	outer, inner := b.Shape(x)[:axis], b.Shape(x)[axis:]
	n, k := int(p.GetNumOutput()), inner.Count()
	shape := engine.Shape{n, k}
	if p.GetTranspose() {
		shape = engine.Shape{k, n}
	}
	w := b.Param(shape, p.GetWeightFiller())
	y := b.Op(engine.Gemm{TransB: !p.GetTranspose()}, b.Reshape(x, outer.Count(), k), w)
	if p.GetBiasTerm() {
		y = b.Op(engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, y, b.Param(engine.Shape{n}, p.GetBiasFiller()))
	}
	return []graph.Value{b.Reshape(y, append(outer.Clone(), n)...)}
}
