package solver

import (
	"math"
	"strconv"

	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/graph"
)

// debugForward logs the mean absolute value of each layer's tops and params after a forward pass
// (debug_info), unless skip.
func (s *Solver) debugForward(n *net.Net, skip bool) error {
	if skip || !s.param.GetDebugInfo() {
		return nil
	}
	g := n.Graph()
	for i, l := range g.Layers {
		for j, v := range g.Tops[i] {
			mean, err := meanAbs(n, v)
			if err != nil {
				return err
			}
			name := "(automatic)"
			if j < len(l.GetTop()) {
				name = l.GetTop()[j]
			}
			s.log.Infof(netFile, 593, "    [Forward] Layer %s, top blob %s data: %s", l.GetName(), name, glog.G(mean))
		}
		for j, u := range g.Uses[i] {
			p := g.Params[u.Param]
			mean, err := meanAbs(n, p.Value)
			if err != nil {
				return err
			}
			s.log.Infof(netFile, 605, "    [Forward] Layer %s, param blob %s data: %s", l.GetName(), paramName(p.Name, j), glog.G(mean))
		}
	}
	return nil
}

// paramName is a param's own name, or its number in its layer.
func paramName(name string, index int) string {
	if name != "" {
		return name
	}
	return strconv.Itoa(index)
}

// debugBackward does the same for the gradients, from the last layer to the first, and ends with the
// norms of all params.
func (s *Solver) debugBackward(n *net.Net, skip bool) error {
	if skip || !s.param.GetDebugInfo() {
		return nil
	}
	g := n.Graph()
	for i := len(g.Layers) - 1; i >= 0; i-- {
		if err := s.debugLayerDiffs(n, g, i); err != nil {
			return err
		}
	}
	return s.debugNorms(n)
}

func (s *Solver) debugLayerDiffs(n *net.Net, g *graph.Graph, i int) error {
	l := g.Layers[i]
	for j, v := range g.Bottoms[i] {
		d, ok := g.Grads[v]
		if !ok || d == graph.None {
			continue
		}
		mean, err := meanAbs(n, d)
		if err != nil {
			return err
		}
		s.log.Infof(netFile, 621, "    [Backward] Layer %s, bottom blob %s diff: %s", l.GetName(), l.GetBottom()[j], glog.G(mean))
	}
	for j, u := range g.Uses[i] {
		p := g.Params[u.Param]
		if l.Param(j).GetLrMult() == 0 { // as written: BatchNorm's statistics do not learn, but Caffe shows them
			continue
		}
		diff := make([]float32, g.Shape(p.Value).Count())
		if err := n.ReadDiff(u.Param, diff); err != nil {
			return err
		}
		abs, _ := norms(diff)
		s.log.Infof(netFile, 632, "    [Backward] Layer %s, param blob %d diff: %s", l.GetName(), j, glog.G(float32(abs/float64(max(1, len(diff))))))
	}
	return nil
}

// debugNorms logs the norms of all params and their gradients, at the severity ERROR as Caffe does.
func (s *Solver) debugNorms(n *net.Net) error {
	var l1, l2 [2]float64
	for i, p := range n.Params() {
		values := make([]float32, p.Shape.Count())
		for k, read := range []func(int, []float32) error{n.ReadParam, n.ReadDiff} {
			if err := read(i, values); err != nil {
				return err
			}
			abs, sq := norms(values)
			l1[k], l2[k] = l1[k]+abs, l2[k]+sq
		}
	}
	s.errorf(netFile, 721, "    [Backward] All net params (data, diff): L1 norm = (%s, %s); L2 norm = (%s, %s)",
		glog.G(l1[0]), glog.G(l1[1]), glog.G(math.Sqrt(l2[0])), glog.G(math.Sqrt(l2[1])))
	return nil
}

func meanAbs(n *net.Net, v graph.Value) (float32, error) {
	values := make([]float32, n.Graph().Shape(v).Count())
	if err := n.Fetch(v, values); err != nil {
		return 0, err
	}
	abs, _ := norms(values)
	return float32(abs / float64(max(1, len(values)))), nil
}

// norms are the sums of absolute values and of squares.
func norms(values []float32) (abs, sq float64) {
	for _, v := range values {
		abs += math.Abs(float64(v))
		sq += float64(v) * float64(v)
	}
	return abs, sq
}
