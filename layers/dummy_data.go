package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "DummyData", Bottoms: exactly(0), Tops: atLeast(1), Check: checkDummyData, Lower: lowerDummyData})
}

func checkDummyData(l *spec.Layer) error {
	p, tops := l.GetDummyDataParam(), len(l.GetTop())
	if n := len(p.GetDataFiller()); n > 1 && n != tops {
		return l.FieldErrorf("dummy_data_param.data_filler", "Number of data fillers must be 0, 1 or equal to the number of tops: %d; you specified %d data fillers.", tops, n)
	}
	type count struct {
		field string
		n     int
	}
	counts := []count{{"shape", len(p.GetShape())}}
	if legacyShape(p) {
		if len(p.GetShape()) > 0 {
			return l.FieldErrorf("dummy_data_param.shape", "Both shape and legacy fields were specified")
		}
		counts = []count{
			{"num", len(p.GetNum())}, {"channels", len(p.GetChannels())}, {"height", len(p.GetHeight())}, {"width", len(p.GetWidth())},
		}
	}
	for _, c := range counts {
		if c.n != 1 && c.n != tops {
			return l.FieldErrorf("dummy_data_param."+c.field, "Must specify '%s' once, or once per top blob (%d); specified %d.", c.field, tops, c.n)
		}
	}
	return nil
}

// legacyShape reports whether the shapes come as num, channels, height, width.
func legacyShape(p *caffepb.DummyDataParameter) bool {
	return len(p.GetNum())+len(p.GetChannels())+len(p.GetHeight())+len(p.GetWidth()) > 0
}

// lowerDummyData emits a feed drawn by fillers, one filler and shape a top or one
// for all; no filler is constant 0. Whoever runs the net fills a constant top
// once and draws the others again before each forward pass, in order.
func lowerDummyData(l *spec.Layer, b *graph.Builder, _ []graph.Value) []graph.Value {
	p := l.GetDummyDataParam()
	shapes := make([]engine.Shape, len(l.GetTop()))
	fillers := make([]*caffepb.FillerParameter, len(shapes))
	for i := range shapes {
		if legacyShape(p) {
			shapes[i] = engine.Shape{at(p.GetNum(), i), at(p.GetChannels(), i), at(p.GetHeight(), i), at(p.GetWidth(), i)}
		} else {
			shapes[i] = shapeOf(p.GetShape()[min(i, len(p.GetShape())-1)])
		}
		if n := len(p.GetDataFiller()); n > 0 {
			fillers[i] = p.GetDataFiller()[min(i, n-1)]
		} else {
			fillers[i] = constant(0)
		}
	}
	return b.Feed(graph.Feed{Kind: graph.FeedFiller, Fillers: fillers}, shapes...)
}

// at is entry i of a list given once for all tops or once for each.
func at(list []uint32, i int) int { return int(list[min(i, len(list)-1)]) }
