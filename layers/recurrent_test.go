package layers_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

const (
	recurrentStreams = 2
	recurrentInputs  = 3
	recurrentOutputs = 4
)

// recurrentText is a layer with a static input c.
func recurrentText(typ, more string) string {
	return fmt.Sprintf(`layer { name: "l" type: %q bottom: "a" bottom: "b" bottom: "c" %s }`, typ, more)
}

// TestRecurrentState: two batches of two steps, one after the other, are one of
// four, for the state carries over; and the second one's output and gradients are
// those of a layer that is given the state.
func TestRecurrentState(t *testing.T) {
	for name, dev := range enginetest.Devices(t) {
		for _, typ := range []string{"RNN", "LSTM"} {
			for what, o := range map[string]plan.Options{"": {}, " without fusion": {NoFuse: true}, " without reuse": {NoReuse: true}} {
				t.Run(typ+" on "+name+what, func(t *testing.T) { compareRecurrent(t, dev, o, typ) })
			}
		}
	}
}

func compareRecurrent(t *testing.T, dev engine.Device, o plan.Options, typ string) {
	rng := rand.New(rand.NewPCG(3, 4))
	half := 2 * recurrentStreams
	x, static := uniform(rng, 2*half*recurrentInputs), uniform(rng, recurrentStreams*recurrentInputs)
	dy := uniform(rng, 2*half*recurrentOutputs)
	cont := []float32{0, 0, 1, 1, 1, 0, 1, 1} // step 2 begins the second stream anew
	own := fmt.Sprintf(`top: "y" recurrent_param { num_output: %d }`, recurrentOutputs)

	four := runText(t, dev, o, []string{"4 2 3", "4 2", "2 3"}, recurrentText(typ, own))
	four.setParams()
	four.set("a", x)
	four.set("b", cont)
	four.set("c", static)
	four.seed("y", dy)
	four.run()

	two := runText(t, dev, o, []string{"2 2 3", "2 2", "2 3"}, recurrentText(typ, own))
	two.setParams()
	two.set("c", static)
	exposed := newExposed(t, dev, o, typ)
	exposed.set("c", static)
	var got []float32
	for i := range 2 {
		for _, r := range []*running{two, exposed} {
			r.set("a", x[i*half*recurrentInputs:][:half*recurrentInputs])
			r.set("b", cont[i*half:][:half])
			r.seed("y", dy[i*half*recurrentOutputs:][:half*recurrentOutputs])
			r.run()
		}
		got = append(got, two.blob("y")...)
		near(t, "output of exposed state", exposed.blob("y"), two.blob("y"))
		for _, name := range []string{"a", "c"} {
			near(t, "gradient of "+name, exposed.diff(name), two.diff(name))
		}
		for j, p := range two.g.Params {
			near(t, fmt.Sprint("gradient of param ", j), exposed.read(exposed.g.Params[j].Grad), two.read(p.Grad))
		}
		exposed.set("d", exposed.blob("h"))
		if typ == "LSTM" {
			exposed.set("e", exposed.blob("m"))
		}
	}
	near(t, "two batches", got, four.blob("y"))
	if slices.Max(got) == slices.Min(got) {
		t.Error("the output is constant")
	}
}

// newExposed is the layer with its state as inputs d, e and tops h, m.
func newExposed(t *testing.T, dev engine.Device, o plan.Options, typ string) *running {
	shapes := []string{"2 2 3", "2 2", "2 3", "1 2 4"}
	more := `bottom: "d" top: "y" top: "h"`
	if typ == "LSTM" {
		shapes = append(shapes, "1 2 4")
		more = `bottom: "d" bottom: "e" top: "y" top: "h" top: "m"`
	}
	r := runText(t, dev, o, shapes, recurrentText(typ, more+fmt.Sprintf(` recurrent_param { num_output: %d expose_hidden: true }`, recurrentOutputs)))
	r.setParams()
	r.set("d", make([]float32, recurrentStreams*recurrentOutputs))
	if typ == "LSTM" {
		r.set("e", make([]float32, recurrentStreams*recurrentOutputs))
	}
	return r
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	sameArray(t, what, npz.Array{Shape: []int{len(got)}, Data: got}, npz.Array{Shape: []int{len(want)}, Data: want}, 1e-5)
}

// TestLSTMUnit computes one step by hand, and its gradients by differences.
func TestLSTMUnit(t *testing.T) {
	const n, d = 2, 3
	rng := rand.New(rand.NewPCG(5, 6))
	c, gates, cont := uniform(rng, n*d), uniform(rng, 4*n*d), []float32{1, 0}
	dc, dh := uniform(rng, n*d), uniform(rng, n*d)
	next, h := lstmByHand(c, gates, cont, d)
	for name, dev := range enginetest.Devices(t) {
		r := runText(t, dev, plan.Options{}, []string{"1 2 3", "1 2 12", "1 2"}, `layer { name: "l" type: "LSTMUnit" bottom: "a" bottom: "b" bottom: "c" top: "y" top: "z" }`)
		r.set("a", c)
		r.set("b", gates)
		r.set("c", cont)
		r.seed("y", dc)
		r.seed("z", dh)
		r.run()
		near(t, name+" c", r.blob("y"), next)
		near(t, name+" h", r.blob("z"), h)
		for i, x := range [][]float32{c, gates} {
			want := make([]float32, len(x))
			for j, v := range x {
				loss := func(at float32) float64 {
					x[j] = at
					next, h := lstmByHand(c, gates, cont, d)
					return dot(next, dc) + dot(h, dh)
				}
				want[j] = float32((loss(v+0.01) - loss(v-0.01)) / (float64(v+0.01) - float64(v-0.01)))
				x[j] = v
			}
			got := r.diff([]string{"a", "b"}[i])
			sameArray(t, name+" gradient", npz.Array{Shape: []int{len(got)}, Data: got}, npz.Array{Shape: []int{len(want)}, Data: want}, 1e-3)
		}
	}
}

func lstmByHand(c, gates, cont []float32, d int) (next, h []float32) {
	sigmoid := func(x float32) float64 { return 1 / (1 + math.Exp(-float64(x))) }
	for n := range cont {
		for j := range d {
			gate := func(k int) float32 { return gates[n*4*d+k*d+j] }
			v := float64(cont[n])*sigmoid(gate(1))*float64(c[n*d+j]) + sigmoid(gate(0))*math.Tanh(float64(gate(3)))
			next = append(next, float32(v))
			h = append(h, float32(sigmoid(gate(2))*math.Tanh(v)))
		}
	}
	return next, h
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// TestRecurrentRedraws: Caffe draws the matrices of each later step, and drops
// them.
func TestRecurrentRedraws(t *testing.T) {
	for typ, want := range map[string]string{"LSTM": "[[16 4] [16 4]]", "RNN": "[[4 4] [4 4] [4] [4 4] [4 4] [4]]"} {
		g, err := buildText(t, caffepb.Phase_TRAIN, []string{"3 2 3", "3 2"},
			`layer { name: "l" type: "`+typ+`" bottom: "a" bottom: "b" top: "y" recurrent_param { num_output: 4 weight_filler { type: "xavier" } } }`)
		check(t, err)
		var got []string
		for _, u := range g.Redraws[2] {
			got = append(got, fmt.Sprint([]int(u.Shape)))
			if weights := len(u.Shape) == 2; weights != (u.Filler.GetType() == "xavier") {
				t.Errorf("%s: blob of shape %v is drawn by %v", typ, u.Shape, u.Filler)
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s draws %v again, want %s", typ, got, want)
		}
	}
}

// TestRecurrentOwners: nets that share params have states of their own.
func TestRecurrentOwners(t *testing.T) {
	text := `layer { name: "l" type: "RNN" bottom: "a" bottom: "b" top: "y" recurrent_param { num_output: 4 } }`
	for name, dev := range enginetest.Devices(t) {
		s := plan.NewStorage(dev)
		var outs [][]float32
		for _, owner := range []string{"", "test net/", ""} {
			r := runText(t, dev, plan.Options{Storage: s, Owner: owner}, []string{"1 2 3", "1 2"}, text)
			if len(outs) == 0 {
				r.setParams()
			}
			r.set("a", []float32{1, 2, 3, 4, 5, 6})
			r.set("b", []float32{1, 1})
			r.seed("y", make([]float32, 8))
			r.run()
			outs = append(outs, r.blob("y"))
		}
		near(t, name+": another owner", outs[1], outs[0])
		if slices.Equal(outs[2], outs[0]) {
			t.Errorf("%s: the same owner's state does not carry over", name)
		}
		t.Cleanup(func() { check(t, s.Close()) })
	}
}
