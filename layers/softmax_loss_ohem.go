package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "SoftmaxWithLossOHEM", From: "R-FCN", Bottoms: exactly(2), Tops: between(1, 3), Loss: true, Check: checkClassWeighting, Lower: lowerSoftmaxLossOHEM})
}

// lowerSoftmaxLossOHEM emits SoftmaxWithLoss' tops, and for a third top the loss of
// each position, in the labels' shape, which passes no gradient on (R-FCN).
func lowerSoftmaxLossOHEM(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetLossParam()
	tops := softmaxLoss(l, b, bottom)
	if tops == nil {
		return nil
	}
	if len(l.GetTop()) > 2 {
		each := engine.SoftmaxLossEach{
			Axis: b.Axis(bottom[0], int(l.GetSoftmaxParam().GetAxis())), HasIgnore: p != nil && p.IgnoreLabel != nil, Ignore: int(p.GetIgnoreLabel()),
		}
		tops = append(tops, b.Op(each, b.Stop(tops[1]), b.Stop(bottom[1])))
	}
	return tops[:max(1, len(l.GetTop()))]
}
