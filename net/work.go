package net

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// LayerWork is the arithmetic of one layer of a compiled net, in multiply-adds
// of convolutions and matrix products for the whole batch. Steps that the plan
// dropped, as the gradient of the first convolution's data, do not count.
type LayerWork struct {
	Forward, Backward int64
}

// Work lists the arithmetic of the layers as RunTimed would run them, parallel
// to Spec().Layers.
func (n *Net) Work() []LayerWork {
	work := make([]LayerWork, len(n.Spec().Layers))
	p := n.now.plan
	shape := func(v graph.Value) engine.Shape { return p.Desc(v).Shape }
	for _, s := range p.Steps() {
		if s.Layer < 0 {
			continue
		}
		count := multiplyAdds(shape, s.Op, s.In, s.Out)
		switch s.Dir {
		case graph.Forward:
			work[s.Layer].Forward += count
		case graph.Backward:
			work[s.Layer].Backward += count
		}
	}
	return work
}

// multiplyAdds counts those of convolutions and matrix products; the others are
// few beside them.
func multiplyAdds(shape func(graph.Value) engine.Shape, op engine.Op, in, out []graph.Value) int64 {
	perRow := func(v graph.Value) int64 { // elements of w that one output, or input, meets
		w := shape(v)
		return int64(w.Count() / max(w[0], 1))
	}
	switch op := op.(type) {
	case engine.Conv:
		return int64(shape(out[0]).Count()) * perRow(in[1])
	case engine.ConvGradData:
		return int64(shape(in[0]).Count()) * perRow(in[1])
	case engine.ConvGradWeights:
		return int64(shape(in[1]).Count()) * perRow(out[0])
	case engine.Gemm:
		a := shape(in[0])
		k := a[1]
		if op.TransA {
			k = a[0]
		}
		return int64(shape(out[0]).Count()) * int64(k)
	}
	return 0
}
