package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareSoftmax)
	register(prepareSoftmaxGrad)
	register(prepareSoftmaxLoss)
	register(prepareSoftmaxLossGrad)
}

// minFloat is C's FLT_MIN, the smallest normal float32: the least probability
// whose logarithm a loss takes.
const minFloat = 0x1p-126

// softmaxAxes are the sizes around the axis of a softmax. Its distributions are
// numbered by outer·inner; i's class c is at place(i) + c·inner.
type softmaxAxes struct{ outer, classes, inner int }

func newSoftmaxAxes(x engine.Shape, axis int) softmaxAxes {
	outer, classes, inner := split(x, axis, 1)
	return softmaxAxes{outer, classes, inner}
}

func (a softmaxAxes) count() int { return a.outer * a.inner }

func (a softmaxAxes) place(i int) int { return i/a.inner*a.classes*a.inner + i%a.inner }

// normalize writes exp(x − max)/Σ of distribution i to y, which may be x.
func (a softmaxAxes) normalize(y, x []float32, i int) {
	at := a.place(i)
	top := math.Inf(-1)
	for c := range a.classes {
		top = max(top, float64(x[at+c*a.inner]))
	}
	p := make([]float64, a.classes)
	sum := 0.0
	for c := range p {
		p[c] = math.Exp(float64(x[at+c*a.inner]) - top)
		sum += p[c]
	}
	for c, v := range p {
		y[at+c*a.inner] = float32(v / sum)
	}
}

func prepareSoftmax(op engine.Softmax, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	return func(l *launch) error {
		l.each(a.count(), func(i int) { a.normalize(l.out[0], l.in[0], i) })
		return nil
	}, nil
}

func prepareSoftmaxGrad(op engine.SoftmaxGrad, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	return func(l *launch) error {
		dy, y, dx := l.in[0], l.in[1], l.out[0]
		l.each(a.count(), func(i int) {
			at := a.place(i)
			dot := 0.0
			for c := range a.classes {
				dot += float64(dy[at+c*a.inner]) * float64(y[at+c*a.inner])
			}
			for c := range a.classes {
				j := at + c*a.inner
				dx[j] = float32(float64(y[j]) * (float64(dy[j]) - dot))
			}
		})
		return nil
	}, nil
}

// labels reads class labels as Caffe does: truncated to integers.
type labels struct {
	classes   int
	hasIgnore bool
	ignore    int
}

// class is the class of item i; skip is true where it is the ignored one.
func (r labels) class(label []float32, i int) (class int, skip bool, err error) {
	v := label[i]
	bad := &engine.LabelError{Label: v, Item: i, Classes: r.classes}
	if !(math.Abs(float64(v)) < math.MaxInt32) { // NaN too
		return 0, false, bad
	}
	class = int(v)
	if r.hasIgnore && class == r.ignore {
		return class, true, nil
	}
	if class < 0 || class >= r.classes {
		return 0, false, bad
	}
	return class, false, nil
}

// all are the classes of all items, −1 where ignored, and how many are not.
func (r labels) all(label []float32) (class []int, valid int, err error) {
	class = make([]int, len(label))
	for i := range label {
		c, skip, err := r.class(label, i)
		if err != nil {
			return nil, 0, err
		}
		if class[i] = c; skip {
			class[i] = -1
			continue
		}
		valid++
	}
	return class, valid, nil
}

// normalizer is what a loss is divided by.
func normalizer(n engine.Normalization, full, valid, batch int) float64 {
	count := 1
	switch n {
	case engine.NormFull:
		count = full
	case engine.NormValid:
		count = valid
	case engine.NormBatchSize:
		count = batch
	}
	return float64(max(count, 1))
}

func prepareSoftmaxLoss(op engine.SoftmaxLoss, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	read := labels{a.classes, op.HasIgnore, op.Ignore}
	return func(l *launch) error {
		x, label := l.in[0], l.in[1]
		prob := l.output(1, len(x))
		l.each(a.count(), func(i int) { a.normalize(prob, x, i) })
		loss, valid := 0.0, 0
		for i := range label {
			class, skip, err := read.class(label, i)
			if err != nil {
				return err
			}
			if skip {
				continue
			}
			valid++
			loss -= math.Log(clampLow(float64(prob[a.place(i)+class*a.inner])))
		}
		if l.out[0] != nil {
			l.out[0][0] = float32(loss / normalizer(op.Norm, len(label), valid, a.outer))
		}
		return nil
	}, nil
}

// clampLow keeps a probability from 0, and lets NaN through to be seen.
func clampLow(p float64) float64 { return max(p, minFloat) }

func prepareSoftmaxLossGrad(op engine.SoftmaxLossGrad, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	read := labels{a.classes, op.HasIgnore, op.Ignore}
	return func(l *launch) error {
		prob, label, dx := l.in[0], l.in[1], l.out[0]
		class, valid, err := read.all(label)
		if err != nil {
			return err
		}
		scale := float64(l.in[2][0]) / normalizer(op.Norm, len(label), valid, a.outer)
		l.each(a.count(), func(i int) { a.lossGrad(dx, prob, i, class[i], scale) })
		return nil
	}, nil
}

// fill sets the elements of distribution i.
func (a softmaxAxes) fill(y []float32, i int, v float32) {
	for c := range a.classes {
		y[a.place(i)+c*a.inner] = v
	}
}

// lossGrad writes the gradient of distribution i, 0 where class is negative.
func (a softmaxAxes) lossGrad(dx, prob []float32, i, class int, scale float64) {
	if class < 0 {
		a.fill(dx, i, 0)
		return
	}
	for c := range a.classes {
		j := a.place(i) + c*a.inner
		dx[j] = float32((float64(prob[j]) - step(c == class)) * scale)
	}
}
