package ref

import (
	"cmp"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareDetectionOutput) }

// detection is a box of a class that scored.
type detection struct {
	class int
	score float32
	box   box
}

// detector is the op with its sizes.
type detector struct {
	op    engine.DetectionOutput
	boxes int
}

func prepareDetectionOutput(op engine.DetectionOutput, in, _ []engine.Desc) (compute, error) {
	d := detector{op, in[2].Shape.Count() / 8}
	items := in[0].Shape[0]
	locs, scores := in[0].Shape[1:].Count(), in[1].Shape[1:].Count()
	return func(l *launch) error {
		priors := priorsOf(l.in[2])
		found := make([][]detection, items)
		l.each(items, func(i int) {
			found[i] = d.detect(l.in[0][i*locs:][:locs], l.in[1][i*scores:][:scores], priors)
		})
		writeDetections(l, found)
		return nil
	}, nil
}

// writeDetections fills the rows that count, and the others with −1.
func writeDetections(l *launch, found [][]detection) {
	var rows []float32
	for i, list := range found {
		for _, f := range list {
			rows = append(rows, float32(i), float32(f.class), f.score, f.box[0], f.box[1], f.box[2], f.box[3])
		}
	}
	if len(rows) == 0 {
		for i := range found {
			rows = append(rows, float32(i), -1, -1, -1, -1, -1, -1)
		}
	}
	if y := l.out[0]; y != nil {
		for i := copy(y, rows); i < len(y); i++ {
			y[i] = -1
		}
	}
	for i := range l.out[1] {
		l.out[1][i] = float32(step(7*i < len(rows)))
	}
}

// detect gives the detections of an item by class.
func (d detector) detect(loc, conf []float32, priors []prior) []detection {
	var all []detection
	shared := d.decode(loc, priors, 0)
	for class := range d.op.Classes {
		if class == d.op.Background {
			continue
		}
		boxes := shared
		if d.op.PerClass {
			boxes = d.decode(loc, priors, class)
		}
		all = append(all, d.suppress(class, boxes, conf)...)
	}
	if keep := d.op.KeepTopK; keep >= 0 && len(all) > keep {
		slices.SortStableFunc(all, func(a, b detection) int { return cmp.Compare(b.score, a.score) })
		all = all[:keep]
		slices.SortStableFunc(all, func(a, b detection) int { return a.class - b.class })
	}
	return all
}

// decode gives an item's boxes of a class, or those of all.
func (d detector) decode(loc []float32, priors []prior, class int) []box {
	sets := 1
	if d.op.PerClass {
		sets = d.op.Classes
	}
	boxes := make([]box, len(priors))
	for i, p := range priors {
		boxes[i] = p.decode(d.op.Code, d.op.VarianceInTarget, boxAt(loc, i*sets+class))
	}
	return boxes
}

// suppress gives the detections of a class, best first.
func (d detector) suppress(class int, boxes []box, conf []float32) []detection {
	var list []detection
	for i, b := range boxes {
		if score := conf[i*d.op.Classes+class]; score > d.op.Threshold {
			list = append(list, detection{class, score, b})
		}
	}
	slices.SortStableFunc(list, func(a, b detection) int { return cmp.Compare(b.score, a.score) })
	if d.op.TopK >= 0 && d.op.TopK < len(list) {
		list = list[:d.op.TopK]
	}
	kept, limit := []detection{}, d.op.NMS
	for _, f := range list {
		if slices.ContainsFunc(kept, func(k detection) bool { return !(f.box.overlap(k.box) <= limit) }) {
			continue
		}
		kept = append(kept, f)
		if d.op.Eta < 1 && limit > 0.5 {
			limit *= d.op.Eta
		}
	}
	return kept
}
