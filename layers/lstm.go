package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

func init() { register(recurrent("LSTM", 2, lowerLSTM)) }

// lowerLSTM emits, at each step, the sums of the gates W_hc·(cont·h) + W_xc·x +
// b_c (+ W_xc_static·x_static), in the order i, f, o, g, and from them the next
// state h and c (see lstmUnit). The output is h of all steps. Blobs: W_xc
// (4·num_output, K), b_c, W_xc_static where there is a static input, W_hc.
func lowerLSTM(r *recurrence) (graph.Value, []graph.Value) {
	x := r.inputs(4 * r.width)
	w := r.weights(4*r.width, r.width)
	h, c := r.state[0], r.state[1]
	var out []graph.Value
	for t := range r.steps {
		gates := r.b.Op(engine.Sum{}, r.product(r.continued(h, t), w), x[t])
		c, h = lstmUnit(r.b, c, gates, r.cont[t])
		out = append(out, h)
	}
	return r.join(out), []graph.Value{h, c}
}
