package ref

import (
	"cmp"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareDetectionEvaluate) }

func prepareDetectionEvaluate(op engine.DetectionEvaluate, _, _ []engine.Desc) (compute, error) {
	return func(l *launch) error {
		boxes, err := truths(l.in[1], op.Classes, op.Background)
		if err != nil {
			return err
		}
		rows := countTruths(op, boxes)
		for _, group := range groupDetections(l.in[0]) {
			rows = append(rows, judge(op, group, boxes[group[0].item])...)
		}
		if y := l.out[0]; y != nil {
			for i := range y {
				y[i] = -1
			}
			for i, r := range rows {
				copy(y[5*i:], r[:])
			}
		}
		for i := range l.out[1] {
			l.out[1][i] = float32(step(i < len(rows)))
		}
		return nil
	}, nil
}

// countTruths gives the row of each class.
func countTruths(op engine.DetectionEvaluate, boxes map[int][]truth) [][5]float32 {
	count := make([]float32, op.Classes)
	for _, list := range boxes {
		for _, t := range list {
			if op.Difficult || !t.difficult {
				count[t.class]++
			}
		}
	}
	var rows [][5]float32
	for class, n := range count {
		if class != op.Background {
			rows = append(rows, [5]float32{-1, float32(class), n, -1, -1})
		}
	}
	return rows
}

// scored is a detection of an item.
type scored struct {
	item int
	detection
}

// groupDetections sorts detections by item and class, a group for each.
func groupDetections(rows []float32) [][]scored {
	var list []scored
	for i := range len(rows) / 7 {
		r := rows[7*i:][:7]
		if int(r[0]) != -1 && int(r[1]) != -1 {
			list = append(list, scored{int(r[0]), detection{int(r[1]), r[2], box(r[3:7])}})
		}
	}
	slices.SortStableFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.item, b.item), cmp.Compare(a.class, b.class))
	})
	var groups [][]scored
	for i, d := range list {
		if i == 0 || d.item != list[i-1].item || d.class != list[i-1].class {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], d)
	}
	return groups
}

// judge gives the rows of the detections of one item and class, given the item's boxes.
func judge(op engine.DetectionEvaluate, group []scored, boxes []truth) [][5]float32 {
	boxes = slices.DeleteFunc(slices.Clone(boxes), func(t truth) bool { return t.class != group[0].class })
	if len(boxes) > 0 { // else they are all wrong, and stay in their order
		slices.SortStableFunc(group, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	}
	taken := make([]bool, len(boxes))
	var rows [][5]float32
	for _, d := range group {
		best, at := float32(-1), -1
		for j, t := range boxes {
			if o := d.box.overlap(t.box); o > best {
				best, at = o, j
			}
		}
		row := [5]float32{float32(d.item), float32(d.class), d.score, 0, 1}
		if at >= 0 && best >= op.Overlap {
			switch {
			case boxes[at].difficult && !op.Difficult:
				row[4] = 0
			case !taken[at]:
				row[3], row[4], taken[at] = 1, 0, true
			}
		}
		rows = append(rows, row)
	}
	return rows
}
