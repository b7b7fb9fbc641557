package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Embed", Bottoms: exactly(1), Tops: exactly(1), Check: checkEmbed, Lower: lowerEmbed})
}

func checkEmbed(l *spec.Layer) error {
	switch p := l.GetEmbedParam(); {
	case p.GetNumOutput() == 0:
		return l.FieldErrorf("embed_param", "EmbedLayer num_output must be positive.")
	case p.GetInputDim() == 0:
		return l.FieldErrorf("embed_param", "EmbedLayer input_dim must be positive.")
	}
	return nil
}

// lowerEmbed emits row bottom[i] of W for each index in the bottom, plus b: the
// top is the bottom's shape and num_output. W is input_dim × num_output, the
// other way round than InnerProduct's. An index that is no row fails the run
// (Caffe reads beyond W). The bottom gets no gradient.
func lowerEmbed(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x := l.GetEmbedParam(), b.Shape(bottom[0])
	n := int(p.GetNumOutput())
	w := b.Param(engine.Shape{int(p.GetInputDim()), n}, p.GetWeightFiller())
	y := b.Op(engine.Gather{}, w, bottom[0])
	if p.GetBiasTerm() {
		y = b.Op(engine.Broadcast{Fn: engine.BroadcastAdd, Axis: len(x)}, y, b.Param(engine.Shape{n}, p.GetBiasFiller()))
	}
	return []graph.Value{y}
}
