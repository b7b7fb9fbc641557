package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

func init() { register(recurrent("RNN", 1, lowerRNN)) }

// lowerRNN emits h = tanh(W_hh·(cont·h) + W_xh·x + b_h (+ W_xh_static·x_static))
// at each step, and the output tanh(W_ho·h + b_o) of all steps. Blobs: W_xh
// (num_output, K), b_h, W_xh_static where there is a static input, W_hh, W_ho,
// b_o.
func lowerRNN(r *recurrence) (graph.Value, []graph.Value) {
	tanh := engine.Unary{Fn: engine.TanH}
	x := r.inputs(r.width)
	whh, who, bias := r.weights(r.width, r.width), r.weights(r.width, r.width), r.bias(r.width)
	h := r.state[0]
	var hidden []graph.Value
	for t := range r.steps {
		h = r.b.Op(tanh, r.b.Op(engine.Sum{}, r.product(r.continued(h, t), whh), x[t]))
		hidden = append(hidden, h)
	}
	out := r.b.Op(tanh, r.biased(r.product(r.join(hidden), who), bias))
	return out, []graph.Value{h}
}
