package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

// recurrent is the Def of a recurrent layer whose state has the given parts.
//
// Bottoms are x (T, N, …): T steps of N independent streams; cont (T, N): 0 where
// a stream begins anew at that step, else 1; optionally x_static (N, …), the same
// at each step; and with expose_hidden the state before the first step, each
// part (1, N, num_output). The top is (T, N, num_output); with expose_hidden the
// state after the last step comes behind it.
//
// Without expose_hidden the state carries over from one run to the next (cont of
// the first step says whether it counts) and starts at zeros. No gradient flows
// through the state from run to run, nor through exposed states, as in Caffe.
func recurrent(typ string, parts int, lower func(*recurrence) (out graph.Value, last []graph.Value)) Def {
	return Def{
		Type: typ, Bottoms: between(2, 3+parts), Tops: between(1, 1+parts),
		Check: func(l *spec.Layer) error { return checkRecurrent(l, parts) },
		Lower: func(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
			r := newRecurrence(l, b, bottom, parts)
			if b.Err() != nil {
				return nil
			}
			out, last := lower(r)
			return r.finish(out, last)
		},
	}
}

func checkRecurrent(l *spec.Layer, parts int) error {
	p := l.GetRecurrentParam()
	exposed := 0
	if p.GetExposeHidden() {
		exposed = parts
	}
	if p.GetNumOutput() == 0 {
		return l.FieldErrorf("recurrent_param", "recurrent_param.num_output must be positive")
	}
	if err := checkCount(l, between(2+exposed, 3+exposed), len(l.GetBottom()), "bottom", "input"); err != nil {
		return err
	}
	return checkCount(l, exactly(1+exposed), len(l.GetTop()), "top", "output")
}

// recurrence is a recurrent layer while it is lowered.
type recurrence struct {
	l                     *spec.Layer
	b                     *graph.Builder
	steps, streams, width int             // T, N, num_output
	x, static             graph.Value     // static is None where there is none
	cont                  []graph.Value   // by step: (N)
	state                 []graph.Value   // before the first step: (N, width)
	exposed               bool            // the state comes from bottoms
	redrawn               []recurrentBlob // what each later step draws anew in Caffe
}

type recurrentBlob struct {
	shape engine.Shape
	bias  bool
}

func newRecurrence(l *spec.Layer, b *graph.Builder, bottom []graph.Value, parts int) *recurrence {
	p, x := l.GetRecurrentParam(), b.Shape(bottom[0])
	r := &recurrence{l: l, b: b, x: bottom[0], static: graph.None, width: int(p.GetNumOutput()), exposed: p.GetExposeHidden()}
	if len(x) < 3 {
		b.Failf("bottom %s must have at least 3 axes -- (#timesteps, #streams, ...): it has shape %v", l.GetBottom()[0], x)
		return nil
	}
	if cont := b.Shape(bottom[1]); !cont.Equal(x[:2]) {
		b.Failf("bottom %s must have shape %v -- (#timesteps, #streams), as bottom %s has: it has shape %v", l.GetBottom()[1], x[:2], l.GetBottom()[0], cont)
		return nil
	}
	r.steps, r.streams = x[0], x[1]
	if r.steps == 0 || r.streams == 0 {
		b.Failf("bottom %s has shape %v: want at least one step of one stream", l.GetBottom()[0], x)
		return nil
	}
	r.cont = r.split(b.Reshape(b.Stop(bottom[1]), r.steps*r.streams))
	rest := bottom[2:]
	if static := 1; len(rest) > 0 && (!r.exposed || len(rest) == parts+static) {
		r.setStatic(rest[0])
		rest = rest[1:]
	}
	for i := range parts {
		if !r.exposed {
			r.state = append(r.state, b.State([]string{"h", "c"}[i], r.streams, r.width))
			continue
		}
		if s := b.Shape(rest[i]); !s.Equal(engine.Shape{1, r.streams, r.width}) {
			b.Failf("bottom %s, a state, must have shape 1 %d %d -- (1, #streams, num_output): it has shape %v",
				l.GetBottom()[len(bottom)-parts+i], r.streams, r.width, s)
			return nil
		}
		r.state = append(r.state, b.Stop(b.Reshape(rest[i], r.streams, r.width)))
	}
	return r
}

func (r *recurrence) setStatic(v graph.Value) {
	if s := r.b.Shape(v); len(s) < 2 || s[0] != r.streams {
		r.b.Failf("bottom %s, the static input, must have %d streams in its first of 2 or more axes: it has shape %v", r.l.GetBottom()[2], r.streams, s)
		return
	}
	r.static = v
}

// split cuts (T·N, …) into its steps, (N, …) each.
func (r *recurrence) split(v graph.Value) []graph.Value {
	if r.steps == 1 {
		return []graph.Value{v}
	}
	sizes := make([]int, r.steps)
	for t := range sizes {
		sizes[t] = r.streams
	}
	parts := r.b.Ops(engine.Slice{Axis: 0, Sizes: engine.IntsOf(sizes...)}, v)
	if parts == nil {
		return make([]graph.Value, r.steps) // after an error nobody reads them
	}
	return parts
}

// join is split's inverse.
func (r *recurrence) join(steps []graph.Value) graph.Value {
	if len(steps) == 1 {
		return steps[0]
	}
	return r.b.Op(engine.Concat{Axis: 0}, steps...)
}

// inputs emits what the input adds to n sums at each step, (N, n):
// W·x + b, and with a static input W_static·x_static.
func (r *recurrence) inputs(n int) []graph.Value {
	p, x := r.l.GetRecurrentParam(), r.b.Shape(r.x)
	k := x[2:].Count()
	all := r.product(r.b.Reshape(r.x, r.steps*r.streams, k), r.b.Param(engine.Shape{n, k}, p.GetWeightFiller()))
	steps := r.split(r.biased(all, r.b.Param(engine.Shape{n}, p.GetBiasFiller())))
	if r.static == graph.None {
		return steps
	}
	k = r.b.Shape(r.static)[1:].Count()
	static := r.product(r.b.Reshape(r.static, r.streams, k), r.b.Param(engine.Shape{n, k}, p.GetWeightFiller()))
	for t, v := range steps {
		steps[t] = r.b.Op(engine.Sum{}, v, static)
	}
	return steps
}

// weights declares a matrix that every step has in Caffe, which draws it anew for
// each; the first draw counts.
func (r *recurrence) weights(n, k int) graph.Value {
	r.redrawn = append(r.redrawn, recurrentBlob{shape: engine.Shape{n, k}})
	return r.b.Param(engine.Shape{n, k}, r.l.GetRecurrentParam().GetWeightFiller())
}

// bias declares a bias that every step has.
func (r *recurrence) bias(n int) graph.Value {
	r.redrawn = append(r.redrawn, recurrentBlob{shape: engine.Shape{n}, bias: true})
	return r.b.Param(engine.Shape{n}, r.l.GetRecurrentParam().GetBiasFiller())
}

// continued is the state of a stream that goes on at step t, 0 where it begins.
func (r *recurrence) continued(state graph.Value, t int) graph.Value {
	return r.b.Op(engine.Broadcast{Fn: engine.BroadcastMul}, state, r.cont[t])
}

func (r *recurrence) product(x, w graph.Value) graph.Value {
	return r.b.Op(engine.Gemm{TransB: true}, x, w)
}

func (r *recurrence) biased(x, bias graph.Value) graph.Value {
	return r.b.Op(engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, x, bias)
}

// finish gives the tops, and keeps the state for the next run where it is the
// layer's own.
func (r *recurrence) finish(out graph.Value, last []graph.Value) []graph.Value {
	p := r.l.GetRecurrentParam()
	for range r.steps - 1 {
		for _, blob := range r.redrawn {
			if blob.bias {
				r.b.Redraw(blob.shape, p.GetBiasFiller())
			} else {
				r.b.Redraw(blob.shape, p.GetWeightFiller())
			}
		}
	}
	tops := []graph.Value{r.b.Reshape(out, r.steps, r.streams, r.width)}
	for i, v := range last {
		if r.exposed {
			tops = append(tops, r.b.Stop(r.b.Reshape(v, 1, r.streams, r.width)))
		} else {
			r.b.Assign(r.state[i], v)
		}
	}
	return tops
}
