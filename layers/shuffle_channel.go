package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "ShuffleChannel", From: "ShuffleNet", Bottoms: exactly(1), Tops: exactly(1), Check: checkShuffleChannel, Lower: lowerShuffleChannel})
}

func checkShuffleChannel(l *spec.Layer) error {
	if l.GetShuffleChannelParam().GetGroup() == 0 {
		return l.FieldErrorf("shuffle_channel_param.group", "group must be greater than 0")
	}
	return nil
}

// lowerShuffleChannel emits the bottom (N, C, …) with its channels dealt out in
// turn to C/group hands: seen as group × C/group they are transposed
// (ShuffleNet).
func lowerShuffleChannel(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	group, x := int(l.GetShuffleChannelParam().GetGroup()), b.Shape(bottom[0])
	if len(x) < 2 || x[1]%group != 0 {
		b.Failf("bottom %s has shape %v: want channels (axis 1) that are a multiple of group %d", l.GetBottom()[0], x, group)
		return nil
	}
	y := permute(b, b.Reshape(bottom[0], x[0], group, x[1]/group, x[2:].Count()), 0, 2, 1, 3)
	return []graph.Value{b.Reshape(y, x...)}
}
