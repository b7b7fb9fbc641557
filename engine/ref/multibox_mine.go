package ref

import (
	"cmp"
	"math"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

// mine selects the boxes that count as background. Where the hardest boxes are
// mined, the other matches are undone.
func (it item) mine(found []match) []int {
	if it.op.Mining == engine.MineNone || len(found) == 0 {
		return nil
	}
	m := found[0] // mining is for one set of locations
	var may []int
	positive := 0
	for i, t := range m.truth {
		if t >= 0 {
			positive++
		}
		if it.op.Mining == engine.MineHard || t == unmatched && m.overlap[i] < it.op.NegOverlap {
			may = append(may, i)
		}
	}
	count := it.op.Sample
	if it.op.Mining == engine.MineNegative {
		count = int(float32(positive) * it.op.Ratio)
	}
	selected := it.worst(m, may)
	selected = selected[:min(count, len(selected))]
	return it.keep(m, selected)
}

// keep undoes matches that hard mining did not select and gives what is background,
// in the order of the boxes.
func (it item) keep(m match, selected []int) []int {
	chosen := make([]bool, len(m.truth))
	for _, i := range selected {
		chosen[i] = true
	}
	var negative []int
	for i, t := range m.truth {
		switch {
		case t >= 0 && it.op.Mining == engine.MineHard && !chosen[i]:
			m.truth[i] = unmatched
		case t == unmatched && chosen[i]:
			negative = append(negative, i)
		}
	}
	return negative
}

// worst sorts boxes by their loss, the largest first; with NMS those go that
// overlap a worse one.
func (it item) worst(m match, may []int) []int {
	loss := make([]float32, len(m.truth))
	for _, i := range may {
		loss[i] = it.loss(m, i)
	}
	slices.SortStableFunc(may, func(a, b int) int { return cmp.Compare(loss[b], loss[a]) })
	if !(it.op.NMS > 0) {
		return may
	}
	if it.op.TopK >= 0 && it.op.TopK < len(may) {
		may = may[:it.op.TopK]
	}
	boxes, kept := it.boxes(-1, it.op.NMSDecoded), []int{}
	for _, i := range may {
		b := boxes[i]
		if b.area() < smallBox || slices.ContainsFunc(kept, func(k int) bool { return boxes[k].overlap(b) > it.op.NMS }) {
			continue
		}
		kept = append(kept, i)
	}
	return kept
}

// smallBox is the area below which suppression drops a box.
const smallBox = 1e-5

// loss is what a box adds to the loss as it is matched.
func (it item) loss(m match, i int) float32 {
	class := it.op.Background
	if m.truth[i] >= 0 {
		class = it.label(m.truth[i])
	}
	scores := it.conf[i*it.op.Classes:][:it.op.Classes]
	sum := softmaxLossOf(scores, class)
	if it.op.Logistic {
		sum = sigmoidLossOf(scores, class)
	}
	if it.op.Mining != engine.MineHard || m.truth[i] < 0 {
		return float32(sum)
	}
	for _, d := range it.difference(m.set, i, m.truth[i]) {
		v := math.Abs(float64(d))
		if it.op.L2 || v < 1 {
			sum += v * v / 2
		} else {
			sum += v - 0.5
		}
	}
	return float32(sum)
}

// softmaxLossOf is the cross entropy of softmax(x) and a class.
func softmaxLossOf(x []float32, class int) float64 {
	top := float64(slices.Max(x))
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	return -math.Log(clampLow(math.Exp(float64(x[class])-top) / sum))
}

// sigmoidLossOf is the cross entropy of sigmoid(x) and a class, summed over the classes.
func sigmoidLossOf(x []float32, class int) float64 {
	sum := 0.0
	for c, v := range x {
		sum += max(float64(v), 0) - float64(v)*step(c == class) + math.Log1p(math.Exp(-math.Abs(float64(v))))
	}
	return sum
}
