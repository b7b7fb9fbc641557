package enginetest

import (
	"errors"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register[engine.MultiBoxMatch](func(g *source) []Case {
		var list []Case
		for _, op := range []engine.MultiBoxMatch{
			{Classes: 3, Code: engine.CenterSizeCode, PerPrediction: true, Overlap: 0.4, UseDifficult: true, Mining: engine.MineNegative, Ratio: 3, NegOverlap: 0.5, TopK: -1, Norm: engine.NormValid},
			{Classes: 4, PerClass: true, Code: engine.CornerCode, VarianceInTarget: true, MatchDecoded: true, SkipCross: true, Norm: engine.NormFull},
			{Classes: 4, PerClass: true, Code: engine.CornerSizeCode, PerPrediction: true, Overlap: 0.3, Logistic: true, Norm: engine.NormBatchSize},
			{Classes: 2, Agnostic: true, Code: engine.CornerCode, ZeroOutside: true, Logistic: true, Mining: engine.MineHard, Sample: 9, NMS: 0.5, TopK: 20, NMSDecoded: true, L2: true, Norm: engine.NormNone},
		} {
			const items, boxes = 3, 30
			sets := 1
			if op.PerClass {
				sets = op.Classes
			}
			list = append(list, Case{Op: op, In: []Tensor{g.values(items, boxes*sets*4), g.values(items, boxes*op.Classes), g.priors(boxes), g.truth(op.Classes, 0, 0, 1, 0, -1, 1)}})
		}
		return list
	})
	extras["MultiBoxMatch"] = checkTruthError
}

// truth is a labelled box for each of the given items, −1 for padding.
func (g *source) truth(classes int, items ...int) Tensor {
	t := Tensor{Shape: engine.Shape{1, 1, len(items), 8}}
	for _, item := range items {
		x, y := float32(g.Float64()*0.7), float32(g.Float64()*0.7)
		t.Data = append(t.Data, float32(item), float32(g.between(1, classes-1)), 0, x, y, x+0.2, y+0.2, float32(g.IntN(2)))
	}
	return t
}

// checkTruthError feeds classes that cannot be learned: Sync must give a
// TruthError that names the row.
func checkTruthError(t *testing.T, r *rig) {
	g := newSource("TruthError")
	c := Case{Op: engine.MultiBoxMatch{Classes: 3}, In: []Tensor{g.values(1, 16), g.values(1, 12), g.priors(4), g.truth(3, 0, -1, 0)}}
	for _, bad := range []float32{0, 3, -1} {
		c.In[3].Data[2*8+1] = bad
		_, err := r.once(&c, mode{unread: -1})
		want := engine.TruthError{Row: 2, Class: bad, Classes: 3}
		var got *engine.TruthError
		if !errors.Is(err, engine.ErrUnsupported) && (!errors.As(err, &got) || *got != want) {
			t.Errorf("class %g gives %v, want %v", bad, err, &want)
		}
	}
}
