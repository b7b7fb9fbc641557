package solver

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
)

// detections are what a test with eval_type: "detection" has found: for each output,
// which must be rows of DetectionEvaluate, what the rows of all batches say of each
// class (SSD).
type detections struct{ outputs map[string]map[int]*class }

// class is what was found of one class of objects.
type class struct {
	listed    bool // whether a row counts its labelled boxes, as there is for all classes but the background
	positives int  // labelled boxes
	found     []detection
}

// detection is one detected box: whether it is a labelled one.
type detection struct {
	score float32
	right bool
}

func (d *detections) batch(s *Solver, t *net.Net) error {
	return s.eachOutput(t, func(o net.Output, values []float32) error {
		if n := len(o.Shape); n != 4 || o.Shape[3] != evaluateWidth {
			return fmt.Errorf("output %s has shape %v: eval_type \"detection\" needs rows of %d, as DetectionEvaluate gives them, "+
				"and no other outputs (a Silence layer can take them)", o.Name, o.Shape, evaluateWidth)
		}
		if d.outputs == nil {
			d.outputs = map[string]map[int]*class{}
		}
		if d.outputs[o.Name] == nil {
			d.outputs[o.Name] = map[int]*class{}
		}
		for ; len(values) > 0; values = values[evaluateWidth:] {
			if err := addRow(d.outputs[o.Name], values[:evaluateWidth]); err != nil {
				return fmt.Errorf("output %s: %w", o.Name, err)
			}
		}
		return nil
	})
}

// evaluateWidth is the length of DetectionEvaluate's rows: item, class, score, right,
// wrong; or −1, class, labelled boxes. What is neither right nor wrong found a box
// that does not count.
const evaluateWidth = 5

func addRow(classes map[int]*class, row []float32) error {
	label := int(row[1])
	c := classes[label]
	if c == nil {
		c = new(class)
		classes[label] = c
	}
	right, wrong := row[3], row[4]
	switch {
	case row[0] == -1:
		c.listed, c.positives = true, c.positives+int(row[2])
	case right == 0 && wrong == 0:
	case right+wrong == 1 && right*wrong == 0:
		c.found = append(c.found, detection{row[2], right == 1})
	default:
		return fmt.Errorf("row %v is not one of DetectionEvaluate: it is right %g and wrong %g times", row, right, wrong)
	}
	return nil
}

func (d *detections) show(s *Solver, t *net.Net, _ int) error {
	for i, o := range t.Outputs() {
		mean, err := d.mean(s, d.outputs[o.Name])
		if err != nil {
			return fmt.Errorf("output %s, %w", o.Name, err)
		}
		s.log.Infof(solverFile, 546, "    Test net output #%d: %s = %s", i, o.Name, glog.G(mean))
	}
	return nil
}

// mean is the mean average precision over the listed classes. One of which nothing
// was found counts as 0.
func (d *detections) mean(s *Solver, classes map[int]*class) (float32, error) {
	average := averagePrecisions[s.param.GetApVersion()]
	var sum, listed float32
	for _, label := range slices.Sorted(maps.Keys(classes)) {
		c := classes[label]
		if !c.listed {
			continue
		}
		listed++
		if len(c.found) == 0 {
			s.log.Warningf(solverFile, 524, "Missing true_pos for label: %d", label)
			continue
		}
		curve, err := c.curve()
		if err != nil {
			return 0, fmt.Errorf("class %d: %w", label, err)
		}
		ap := average(curve)
		sum += ap
		if s.param.GetShowPerClassResult() {
			s.log.Infof(solverFile, 540, "class%d: %s", label, glog.G(ap))
		}
	}
	return sum / max(1, listed), nil
}

// operatingPoint is how good a detector is that reports what has a score or more.
type operatingPoint struct {
	precision float32 // the part of its boxes that is right
	recall    float32 // the part of the labelled boxes that it finds
}

// curve gives a point for each detection, the highest score first, of equal scores
// in the order found. It has none if there is nothing to find.
func (c *class) curve() ([]operatingPoint, error) {
	if c.positives == 0 {
		return nil, nil
	}
	slices.SortStableFunc(c.found, func(a, b detection) int { return cmp.Compare(b.score, a.score) })
	points, right := make([]operatingPoint, len(c.found)), 0
	for i, d := range c.found {
		if d.right {
			right++
		}
		points[i] = operatingPoint{float32(right) / float32(i+1), float32(right) / float32(c.positives)}
	}
	if right > c.positives {
		return nil, fmt.Errorf("%d of %d labelled boxes were found, which no DetectionEvaluate says", right, c.positives)
	}
	return points, nil
}

// averagePrecisions are the known values of ap_version. The arithmetic is SSD's, in
// float32, where a recall of 7/10 is less than 0.7: results compare with those that
// it printed, and can differ from those of the benchmarks' own programs.
var averagePrecisions = map[string]func([]operatingPoint) float32{
	"11point":     elevenPoint,
	"MaxIntegral": maxIntegral,
	"Integral":    integral,
}

// elevenPoint is the mean over the recalls 0, 0.1 … 1 of the best precision with that
// recall or more (VOC 2007).
func elevenPoint(curve []operatingPoint) float32 {
	var ap float32
	for tenth := 10; tenth >= 0; tenth-- {
		var best float32
		for _, p := range curve {
			if float64(p.recall) >= float64(tenth)/10 {
				best = max(best, p.precision)
			}
		}
		ap += best / 11
	}
	return ap
}

// recallStep is the least difference of two recalls that counts as one.
const recallStep = 1e-6

// maxIntegral is the area under the best precision from a point on (VOC 2012).
func maxIntegral(curve []operatingPoint) float32 {
	if len(curve) == 0 {
		return 0
	}
	var ap, best float32
	upper := curve[len(curve)-1].recall
	for _, p := range slices.Backward(curve) {
		best = max(best, p.precision)
		if math.Abs(float64(upper-p.recall)) > recallStep {
			ap += best * (upper - p.recall)
		}
		upper = p.recall
	}
	return ap + upper*best
}

// integral is the area under the precision as it is.
func integral(curve []operatingPoint) float32 {
	var ap, lower float32
	for _, p := range curve {
		if math.Abs(float64(p.recall-lower)) > recallStep {
			ap += p.precision * (p.recall - lower)
		}
		lower = p.recall
	}
	return ap
}
