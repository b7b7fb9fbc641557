package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "InfogainLoss", Bottoms: between(2, 3), Tops: between(1, 2), Loss: true, Check: checkInfogainLoss, Lower: lowerInfogainLoss})
}

func checkInfogainLoss(l *spec.Layer) error {
	switch p := l.GetLossParam(); {
	case p != nil && p.Normalize != nil:
		return l.FieldErrorf("loss_param.normalize", "normalize is deprecated. use \"normalization\"")
	case len(l.GetBottom()) < 3 && l.GetInfogainLossParam().GetSource() == "":
		return l.FieldErrorf("infogain_loss_param", "Infogain matrix source must be specified: set infogain_loss_param.source, or give the matrix as third bottom")
	}
	return nil
}

// lowerInfogainLoss emits the loss of scores bottom[0], labels bottom[1] and the
// matrix H, a row a label: the cross entropy of softmax(bottom[0]) and H's row. H
// is bottom[2] or the blob in infogain_loss_param.source, classes² numbers. With
// H the identity it is SoftmaxWithLoss; a diagonal H weighs the classes. A second
// top is the probabilities, which pass no gradient on.
func lowerInfogainLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x, label := b.Shape(bottom[0]), b.Shape(bottom[1])
	axis := b.Axis(bottom[0], int(l.GetInfogainLossParam().GetAxis()))
	if b.Err() != nil || !labelsFit(l, b, x, label, axis, "infogain axis") {
		return nil
	}
	n := x[axis]
	if len(bottom) < 3 {
		h := b.Feed(graph.Feed{Kind: graph.FeedFile, File: l.GetInfogainLossParam().GetSource()}, engine.Shape{n, n})
		bottom = []graph.Value{bottom[0], bottom[1], h[0]}
	} else if h := b.Shape(bottom[2]); h.Count() != n*n {
		b.Failf("H must be %dx%d: %s has shape %v", n, n, l.GetBottom()[2], h)
		return nil
	}
	p := l.GetLossParam()
	op := engine.InfogainLoss{
		Axis: axis, HasIgnore: p != nil && p.IgnoreLabel != nil, Ignore: int(p.GetIgnoreLabel()),
		Norm: normalization(p, caffepb.LossParameter_VALID),
	}
	tops := b.Ops(op, bottom...)
	if tops != nil {
		tops[0] = preFixed(b, p, tops[0])
	}
	return tops[:min(len(tops), max(1, len(l.GetTop())))]
}
