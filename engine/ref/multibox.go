package ref

import (
	"math"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareMultiBoxMatch) }

// truth is a labelled box.
type truth struct {
	box
	class     int
	difficult bool
}

// truths reads the rows of labelled boxes by item. Rows of item −1 are padding.
func truths(rows []float32, classes, background int) (map[int][]truth, error) {
	byItem := map[int][]truth{}
	for i := 0; i < len(rows)/8; i++ {
		r := rows[8*i:][:8]
		if int(r[0]) == -1 {
			continue
		}
		class := int(r[1])
		if !(r[1] >= 0) || class >= classes || class == background {
			return nil, &engine.TruthError{Row: i, Class: r[1], Classes: classes, Background: background}
		}
		byItem[int(r[0])] = append(byItem[int(r[0])], truth{box(r[3:7]), class, r[7] != 0})
	}
	return byItem, nil
}

// What a box is matched with, where it is no labelled box.
const (
	unmatched = -1
	ignored   = -2
)

// match is which labelled box each default box of an item is to find, for all
// classes (set −1) or for one.
type match struct {
	set     int
	truth   []int     // index of the labelled box, unmatched or ignored
	overlap []float32 // the best overlap with any
}

// matcher is the op with its sizes.
type matcher struct {
	op     engine.MultiBoxMatch
	sets   int // of locations: 1, or one a class
	priors []prior
}

func prepareMultiBoxMatch(op engine.MultiBoxMatch, in, _ []engine.Desc) (compute, error) {
	m := matcher{op: op, sets: 1}
	if op.PerClass {
		m.sets = op.Classes
	}
	items, boxes := in[0].Shape[0], in[2].Shape.Count()/8
	locs, scores := in[0].Shape[1:].Count(), in[1].Shape[1:].Count()
	targets := boxes
	if op.Logistic {
		targets = scores
	}
	classes := op.Classes
	if op.Agnostic {
		classes = math.MaxInt32
	}
	return func(l *launch) error {
		m := m
		m.priors = priorsOf(l.in[2])
		all, err := truths(l.in[3], classes, op.Background)
		if err != nil {
			return err
		}
		diff, target := l.output(0, items*locs), l.output(1, items*targets)
		matches := make([]int, items)
		l.each(items, func(i int) {
			it := item{m, l.in[0][i*locs:][:locs], l.in[1][i*scores:][:scores], m.usable(all[i])}
			matches[i] = it.learn(diff[i*locs:][:locs], target[i*targets:][:targets])
		})
		if l.out[2] != nil {
			l.out[2][0] = float32(1 / normalizer(op.Norm, items*boxes, sumInts(matches), items))
		}
		return nil
	}, nil
}

// usable leaves out difficult boxes where they do not count.
func (m matcher) usable(list []truth) []truth {
	if m.op.UseDifficult {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(t truth) bool { return t.difficult })
}

// item is one image of the batch.
type item struct {
	matcher
	loc, conf []float32
	truth     []truth
}

// learn writes what is to be learned of the item, and gives the number of matches.
func (it item) learn(diff, target []float32) int {
	clear(diff)
	found := it.matches()
	negative := it.mine(found)
	it.targets(found, negative, target)
	count := 0
	for _, f := range found {
		for i, t := range f.truth {
			if t >= 0 {
				count++
				d := it.difference(f.set, i, t)
				copy(diff[4*it.place(f.set, i):], d[:])
			}
		}
	}
	return count
}

// place is where the location of a default box is.
func (it item) place(set, i int) int { return i*it.sets + max(set, 0) }

// matches finds the matches of the item, for each set of locations that has any.
func (it item) matches() []match {
	if len(it.truth) == 0 {
		return nil
	}
	var list []match
	shared := match{}
	if !it.op.MatchDecoded {
		shared = it.matchBoxes(it.boxes(-1, false), -1)
	}
	if !it.op.PerClass {
		if it.op.MatchDecoded {
			shared = it.matchBoxes(it.boxes(-1, true), -1)
		}
		return []match{shared}
	}
	for class := range it.op.Classes {
		switch {
		case class == it.op.Background:
		case it.op.MatchDecoded:
			list = append(list, it.matchBoxes(it.boxes(class, true), class))
		default:
			list = append(list, it.ofClass(shared, class))
		}
	}
	return list
}

// ofClass is the part of the matches that is with boxes of a class.
func (it item) ofClass(all match, class int) match {
	m := match{class, make([]int, len(all.truth)), all.overlap}
	for i, t := range all.truth {
		if m.truth[i] = unmatched; t >= 0 && it.truth[t].class == class {
			m.truth[i] = t
		}
	}
	return m
}

// boxes are the default boxes, or with decoded those that a set of locations predicts.
func (it item) boxes(set int, decoded bool) []box {
	list := make([]box, len(it.priors))
	for i, p := range it.priors {
		if list[i] = p.box; decoded {
			list[i] = p.decode(it.op.Code, it.op.VarianceInTarget, boxAt(it.loc, it.place(set, i)))
		}
	}
	return list
}

// leastOverlap is what counts as an overlap at all.
const leastOverlap = 1e-6

// matchBoxes matches boxes with the labelled ones of a class, −1 for all classes.
func (it item) matchBoxes(boxes []box, class int) match {
	m := match{class, make([]int, len(boxes)), make([]float32, len(boxes))}
	overlaps := make([][]float32, len(boxes)) // by box and labelled box; nil without any
	for i, b := range boxes {
		m.truth[i] = unmatched
		if it.op.SkipCross && b.crosses() {
			m.truth[i] = ignored
			continue
		}
		for j, t := range it.truth {
			if class >= 0 && t.class != class {
				continue
			}
			if o := b.overlap(t.box); o > leastOverlap {
				if overlaps[i] == nil {
					overlaps[i] = make([]float32, len(it.truth))
				}
				overlaps[i][j], m.overlap[i] = o, max(m.overlap[i], o)
			}
		}
	}
	m.bipartite(overlaps, len(it.truth))
	if it.op.PerPrediction {
		m.perPrediction(overlaps, it.op.Overlap)
	}
	return m
}

// bipartite gives each labelled box the box that overlaps it most, the best pair first.
func (m match) bipartite(overlaps [][]float32, truths int) {
	taken := make([]bool, truths)
	for range truths {
		best, box, truth := float32(0), -1, -1
		for i, list := range overlaps {
			if m.truth[i] != unmatched {
				continue
			}
			for j, o := range list {
				if !taken[j] && o > best {
					best, box, truth = o, i, j
				}
			}
		}
		if box < 0 {
			return
		}
		m.truth[box], m.overlap[box], taken[truth] = truth, best, true
	}
}

// perPrediction gives each box that is left the labelled one that it overlaps most.
func (m match) perPrediction(overlaps [][]float32, least float32) {
	for i, list := range overlaps {
		if m.truth[i] != unmatched {
			continue
		}
		best := float32(0)
		for j, o := range list {
			if o > 0 && o >= least && o > best {
				best, m.truth[i], m.overlap[i] = o, j, o
			}
		}
	}
}

// difference is the prediction of box i minus the encoded labelled box.
func (it item) difference(set, i, t int) box {
	p, got := it.priors[i], boxAt(it.loc, it.place(set, i))
	want := p.encode(it.op.Code, it.op.VarianceInTarget, it.truth[t].box)
	at := p.box
	if it.op.ZeroOutside && it.op.MatchDecoded {
		at = p.decode(it.op.Code, it.op.VarianceInTarget, got)
	}
	var d box
	for k := range d {
		if it.op.ZeroOutside && (at[k] < 0 || at[k] > 1) {
			continue
		}
		if d[k] = got[k] - want[k]; it.op.VarianceInTarget {
			d[k] /= p.variance[k]
		}
	}
	return d
}

// targets writes the class of each box that is in the loss.
func (it item) targets(found []match, negative []int, target []float32) {
	boxes := len(it.priors)
	class := make([]float32, boxes)
	for i := range class {
		if class[i] = float32(it.op.Background); it.op.Mining != engine.MineNone {
			class[i] = -1
		}
	}
	for _, i := range negative {
		class[i] = float32(it.op.Background)
	}
	for _, f := range found {
		for i, t := range f.truth {
			if t >= 0 {
				class[i] = float32(it.label(t))
			}
		}
	}
	if !it.op.Logistic {
		copy(target, class)
		return
	}
	it.logistic(found, class, target)
}

// logistic writes one target for each box and class. Background is a class of its
// own only where it was mined (SSD).
func (it item) logistic(found []match, class, target []float32) {
	n := it.op.Classes
	for i, c := range class {
		row := target[i*n:][:n]
		for j := range row {
			row[j] = min(c, 0)
		}
		if int(c) >= 0 && int(c) < n && (int(c) != it.op.Background || it.op.Mining != engine.MineNone) {
			row[int(c)] = 1
		}
	}
	for _, f := range found { // a box may have an object of each class
		for i, t := range f.truth {
			if t >= 0 {
				target[i*n+it.label(t)] = 1
			}
		}
	}
}

// label is the class to learn of a labelled box.
func (it item) label(t int) int {
	if it.op.Agnostic {
		return it.op.Background + 1
	}
	return it.truth[t].class
}
