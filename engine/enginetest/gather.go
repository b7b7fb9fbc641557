package enginetest

import (
	"errors"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register[engine.Gather](func(g *source) []Case { return g.gathers(false) })
	register[engine.GatherGrad](func(g *source) []Case { return g.gathers(true) })
	extras["IndexError"] = checkIndexError
	gradients = append(gradients, gatherGradients)
}

// gathers makes cases in which rows are taken several times, and not at all.
func (g *source) gathers(grad bool) []Case {
	var list []Case
	for _, z := range []struct{ x, index engine.Shape }{
		{engine.Shape{6, 4}, engine.Shape{5}}, {engine.Shape{6, 4}, engine.Shape{3, 2}}, {engine.Shape{4, 3, 2}, engine.Shape{6}},
		{engine.Shape{1, 17}, engine.Shape{3}}, {engine.Shape{5}, engine.Shape{2, 2}}, {engine.Shape{300, 33}, engine.Shape{1000}}, {engine.Shape{7, 3}, engine.Shape{}},
	} {
		index := g.labels(0, z.x[0], z.index...)
		if grad {
			dy := g.values(append(z.index.Clone(), z.x[1:]...)...)
			list = append(list, Case{Op: engine.GatherGrad{Rows: z.x[0]}, In: []Tensor{dy, index}})
			continue
		}
		list = append(list, Case{Op: engine.Gather{}, In: []Tensor{g.values(z.x...), index}})
	}
	return list
}

func gatherGradients(g *source) []gradient {
	x, index := g.values(4, 3), Tensor{Shape: engine.Shape{3}, Data: []float32{2, 0, 2}}
	return []gradient{{op: engine.Gather{}, in: []Tensor{x, index}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
		return Case{Op: engine.GatherGrad{Rows: 4}, In: []Tensor{dy, index}}
	}}}}}
}

// checkIndexError feeds indices that are no row: Sync must give an IndexError
// that names the item.
func checkIndexError(t *testing.T, r *rig) {
	g := newSource("IndexError")
	for _, c := range []Case{
		{Op: engine.Gather{}, In: []Tensor{g.values(4, 3), g.labels(0, 4, 5)}},
		{Op: engine.GatherGrad{Rows: 4}, In: []Tensor{g.values(5, 3), g.labels(0, 4, 5)}},
	} {
		for _, bad := range []float32{4, -1, 1e12} {
			c.In[1].Data[3] = bad
			_, err := r.once(&c, mode{unread: -1})
			want := engine.IndexError{Index: bad, Item: 3, Rows: 4}
			var got *engine.IndexError
			if !errors.Is(err, engine.ErrUnsupported) && (!errors.As(err, &got) || *got != want) {
				t.Errorf("%+v of index %g gives %v, want %v", c.Op, bad, err, &want)
			}
		}
	}
}
