package ref

import (
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareConfusion)
	register(prepareSegmentScores)
}

func prepareConfusion(op engine.Confusion, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, 1)
	read, ignore := labels{classes: a.classes}, op.Ignore.List()
	return func(l *launch) error {
		n := a.classes * a.classes
		added := make([]int, n)
		for i, v := range l.in[1] {
			if slices.Contains(ignore, int(v)) && v == v {
				continue
			}
			class, _, err := read.class(l.in[1], i)
			if err != nil {
				return err
			}
			added[class*a.classes+a.argMax(l.in[0], i)]++
		}
		old, y := l.in[2], l.out[0]
		for i, add := range added {
			low := int(old[n+i]) + add
			y[i], y[n+i] = old[i]+float32(low/engine.ConfusionBase), float32(low%engine.ConfusionBase)
		}
		return nil
	}, nil
}

func prepareSegmentScores(_ engine.SegmentScores, in, _ []engine.Desc) (compute, error) {
	classes := in[0].Shape[1]
	return func(l *launch) error {
		count := make([]float64, classes*classes)
		for i := range count {
			count[i] = float64(l.in[0][i])*engine.ConfusionBase + float64(l.in[0][len(count)+i])
		}
		copy(l.out[0], segmentScores(count, classes))
		return nil
	}, nil
}

// argMax is the class of distribution i with the largest score, the last among equals.
func (a softmaxAxes) argMax(x []float32, i int) int {
	at, best := a.place(i), 0
	for c := 1; c < a.classes; c++ {
		if x[at+c*a.inner] >= x[at+best*a.inner] {
			best = c
		}
	}
	return best
}

// segmentScores gives pixel accuracy, mean recall and mean intersection over union.
func segmentScores(count []float64, classes int) []float32 {
	total, right, recall, present, jaccard := 0.0, 0.0, 0.0, 0.0, 0.0
	for c := range classes {
		actual, predicted, both := 0.0, 0.0, count[c*classes+c]
		for d := range classes {
			actual += count[c*classes+d]
			predicted += count[d*classes+c]
		}
		total, right = total+actual, right+both
		if actual > 0 {
			recall, present = recall+both/actual, present+1
		}
		if union := actual + predicted - both; union > 0 {
			jaccard += both / union
		} else {
			jaccard++
		}
	}
	return []float32{float32(right / max(total, 1)), float32(recall / max(present, 1)), float32(jaccard / float64(classes))}
}
