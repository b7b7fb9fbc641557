package layers

import (
	"math"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "PriorBox", From: "SSD", Bottoms: exactly(2), Tops: exactly(1), Check: checkPriorBox, Lower: lowerPriorBox})
}

func checkPriorBox(l *spec.Layer) error {
	p := l.GetPriorBoxParam()
	const at = "prior_box_param."
	mins, maxs := p.GetMinSize(), p.GetMaxSize()
	notPositive := func(v float32) bool { return !(v > 0) }
	switch {
	case len(mins) == 0:
		return l.FieldErrorf("prior_box_param", "must provide min_size.")
	case slices.ContainsFunc(mins, notPositive):
		return l.FieldErrorf(at+"min_size", "min_size must be positive.")
	case len(maxs) > 0 && len(maxs) != len(mins):
		return l.FieldErrorf(at+"max_size", "%d max_size for %d min_size: want as many, or none", len(maxs), len(mins))
	case slices.ContainsFunc(p.GetAspectRatio(), notPositive):
		return l.FieldErrorf(at+"aspect_ratio", "aspect_ratio must be positive.")
	case len(p.GetVariance()) > 1 && len(p.GetVariance()) != 4:
		return l.FieldErrorf(at+"variance", "Must and only provide 4 variance, or one for all coordinates: there are %d.", len(p.GetVariance()))
	case slices.ContainsFunc(p.GetVariance(), notPositive):
		return l.FieldErrorf(at+"variance", "variance must be positive.")
	}
	for i, v := range maxs {
		if v <= mins[i] {
			return l.FieldErrorf(at+"max_size", "max_size must be greater than min_size: %g and %g.", v, mins[i])
		}
	}
	return checkPriorImage(l)
}

// checkPriorImage checks the image's size and the steps.
func checkPriorImage(l *spec.Layer) error {
	p := l.GetPriorBoxParam()
	pair, step := p.ImgH != nil || p.ImgW != nil, p.StepH != nil || p.StepW != nil
	const at = "prior_box_param."
	switch {
	case pair && p.ImgSize != nil:
		return l.FieldErrorf(at+"img_size", "Either img_size or img_h/img_w should be specified; not both.")
	case pair && (p.GetImgH() == 0 || p.GetImgW() == 0):
		return l.FieldErrorf("prior_box_param", "img_h and img_w should be larger than 0: give both.")
	case p.ImgSize != nil && p.GetImgSize() == 0:
		return l.FieldErrorf(at+"img_size", "img_size should be larger than 0.")
	case step && p.Step != nil:
		return l.FieldErrorf(at+"step", "Either step or step_h/step_w should be specified; not both.")
	case step && !(p.GetStepH() > 0 && p.GetStepW() > 0):
		return l.FieldErrorf("prior_box_param", "step_h and step_w should be larger than 0: give both.")
	case p.Step != nil && !(p.GetStep() > 0):
		return l.FieldErrorf(at+"step", "step should be larger than 0.")
	}
	return nil
}

// lowerPriorBox emits the default boxes of the map bottom[0] in the image
// bottom[1], of which only the shapes count: (1, 2, 4·boxes), corners and
// variances (SSD).
func lowerPriorBox(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetPriorBoxParam()
	cells, image := legacy(b, bottom[0]), legacy(b, bottom[1])
	if b.Err() != nil {
		return nil
	}
	op := engine.PriorBox{
		H: cells[2], W: cells[3], ImageH: image[2], ImageW: image[3], Offset: p.GetOffset(),
		MinSizes: engine.FloatsOf(p.GetMinSize()...), MaxSizes: engine.FloatsOf(p.GetMaxSize()...),
		Ratios: engine.FloatsOf(priorRatios(p.GetAspectRatio(), p.GetFlip())...), Clip: p.GetClip(),
	}
	switch {
	case p.ImgSize != nil:
		op.ImageH, op.ImageW = int(p.GetImgSize()), int(p.GetImgSize())
	case p.ImgH != nil:
		op.ImageH, op.ImageW = int(p.GetImgH()), int(p.GetImgW())
	}
	switch {
	case p.Step != nil:
		op.StepH, op.StepW = p.GetStep(), p.GetStep()
	case p.StepH != nil:
		op.StepH, op.StepW = p.GetStepH(), p.GetStepW()
	default:
		op.StepH, op.StepW = float32(op.ImageH)/float32(op.H), float32(op.ImageW)/float32(op.W)
	}
	switch v := p.GetVariance(); len(v) {
	case 0:
		op.Variances = engine.FloatsOf(0.1, 0.1, 0.1, 0.1)
	case 1:
		op.Variances = engine.FloatsOf(v[0], v[0], v[0], v[0])
	default:
		op.Variances = engine.FloatsOf(v...)
	}
	return []graph.Value{b.Op(op)}
}

// priorRatios are the ratios besides 1, each once; with flip each is followed by
// its inverse, which may come twice as in SSD.
func priorRatios(list []float32, flip bool) []float32 {
	ratios := []float32{1}
	for _, r := range list {
		known := slices.ContainsFunc(ratios, func(v float32) bool { return math.Abs(float64(r)-float64(v)) < 1e-6 })
		if known {
			continue
		}
		ratios = append(ratios, r)
		if flip {
			ratios = append(ratios, 1/r)
		}
	}
	return ratios[1:]
}
