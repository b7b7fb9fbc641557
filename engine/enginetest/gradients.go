package enginetest

import (
	"fmt"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
)

// gradient is an op whose gradient ops are held against differences.
type gradient struct {
	op  engine.Op
	in  []Tensor
	wrt []wrt
}

// wrt is the gradient with respect to one input: an output of the case that
// grad makes of the gradient dy of output 0 and of the op's outputs.
type wrt struct {
	input, out int
	grad       func(dy Tensor, y []Tensor) Case
}

// gradients lists what Gradients checks; the files of the ops add to it.
var gradients []func(g *source) []gradient

const (
	difference        = 1e-2 // how far an input is moved each way
	gradientTolerance = 4e-3 // times max(1, |difference quotient|)
)

// Gradients checks ref's gradient ops against its forward ops: for random dy,
// the gradient of Σ dy·y by the op must be the one by central differences,
// summed in float64. Inputs keep away from kinks.
func Gradients(t *testing.T) {
	t.Helper()
	r := newRig(t, ref.Open, engine.PrecisionFP32)
	for i, list := range gradients {
		g := newSource(fmt.Sprint("gradients", i))
		for _, d := range list(g) {
			c := Case{Op: d.op, In: d.in}
			t.Run(c.name(), func(t *testing.T) {
				if err := r.differentiate(g, &d); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// differentiate compares all gradients of one op.
func (r *rig) differentiate(g *source, d *gradient) error {
	y, err := r.outputs(d.op, d.in)
	if err != nil {
		return err
	}
	dy := g.values(y[0].Shape...)
	for _, w := range d.wrt {
		c := w.grad(dy, y)
		res, err := r.once(&c, mode{unread: -1})
		if err != nil {
			return err
		}
		want, err := r.quotients(d, dy, w.input)
		if err != nil {
			return err
		}
		if err := near(res.out[w.out], want, gradientTolerance); err != nil {
			return fmt.Errorf("gradient of input %d by %+v, against differences: %w", w.input, c.Op, err)
		}
	}
	return nil
}

// outputs runs an op.
func (r *rig) outputs(op engine.Op, in []Tensor) ([]Tensor, error) {
	res, err := r.once(&Case{Op: op, In: in}, mode{unread: -1})
	if err != nil {
		return nil, err
	}
	descs, err := op.Infer(descsOf(in))
	if err != nil {
		return nil, err
	}
	var out []Tensor
	for i, v := range res.out {
		out = append(out, Tensor{Shape: descs[i].Shape, Data: v})
	}
	return out, nil
}

// quotients moves each element of an input and divides the change of Σ dy·y.
func (r *rig) quotients(d *gradient, dy Tensor, input int) ([]float32, error) {
	x := d.in[input].Data
	q := make([]float32, len(x))
	for i, v := range x {
		up, down := v+difference, v-difference
		x[i] = up
		high, err := r.project(d, dy)
		if err != nil {
			return nil, err
		}
		x[i] = down
		low, err := r.project(d, dy)
		if err != nil {
			return nil, err
		}
		x[i] = v
		q[i] = float32((high - low) / (float64(up) - float64(down)))
	}
	return q, nil
}

// project is Σ dy·y.
func (r *rig) project(d *gradient, dy Tensor) (float64, error) {
	y, err := r.outputs(d.op, d.in)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for i, v := range y[0].Data {
		sum += float64(v) * float64(dy.Data[i])
	}
	return sum, nil
}

// apart is a tensor of values that are not near 0.
func (g *source) apart(shape ...int) Tensor {
	t := g.uniform(0.1, 1.2, shape...)
	for i := range t.Data {
		if g.coin() {
			t.Data[i] = -t.Data[i]
		}
	}
	return t
}

// distinct is a tensor of values of which no two are near each other.
func (g *source) distinct(shape ...int) Tensor {
	t := g.values(shape...)
	for i, p := range g.Perm(len(t.Data)) {
		t.Data[i] = 0.05 * float32(p-len(t.Data)/2)
	}
	return t
}
