package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Reorg", From: "Intel Caffe", Bottoms: exactly(1), Tops: exactly(1), NoInPlace: true, Check: checkReorg, Lower: lowerReorg})
}

func checkReorg(l *spec.Layer) error {
	if l.GetReorgParam().GetStride() == 0 {
		return l.FieldErrorf("reorg_param", "reorg_param.stride must be set and positive")
	}
	return nil
}

// lowerReorg emits a bottom (N, C, H, W) as (N, C·stride², H/stride, W/stride), or
// with reverse as (N, C/stride², H·stride, W·stride), as YOLO v2 does. That is not a
// move of blocks of pixels to channels, but darknet's: the item's memory is read
// as C/stride² planes of H·stride × W·stride pixels, whose blocks are moved. With
// reverse, channels go to the pixels of a block; it does not undo the other.
func lowerReorg(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	s, x := int(l.GetReorgParam().GetStride()), b.Shape(bottom[0])
	reverse := l.GetReorgParam().GetReverse()
	if len(x) != 4 || x[1]%(s*s) != 0 || !reverse && (x[2]%s != 0 || x[3]%s != 0) {
		b.Failf("bottom %s has shape %v: want 4 axes, channels that are a multiple of stride² = %d, and height and width of stride %d", l.GetBottom()[0], x, s*s, s)
		return nil
	}
	channels := x[1] / (s * s)
	if reverse {
		y := permute(b, b.Reshape(bottom[0], x[0], s, s, channels, x[2], x[3]), 0, 3, 4, 1, 5, 2)
		return []graph.Value{b.Reshape(y, x[0], channels, x[2]*s, x[3]*s)}
	}
	y := permute(b, b.Reshape(bottom[0], x[0], channels, x[2], s, x[3], s), 0, 3, 5, 1, 2, 4)
	return []graph.Value{b.Reshape(y, x[0], x[1]*s*s, x[2]/s, x[3]/s)}
}
