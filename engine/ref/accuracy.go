package ref

import (
	"cmp"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareAccuracy)
	register(prepareArgMax)
}

func prepareAccuracy(op engine.Accuracy, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	read := labels{a.classes, op.HasIgnore, op.Ignore}
	return func(l *launch) error {
		label := l.in[1]
		right, seen := make([]int, a.classes), make([]int, a.classes)
		for i := range label {
			class, skip, err := read.class(label, i)
			if err != nil {
				return err
			}
			if skip {
				continue
			}
			seen[class]++
			if a.isTop(l.in[0], i, class, op.TopK) {
				right[class]++
			}
		}
		if l.out[0] != nil {
			l.out[0][0] = share(sumInts(right), sumInts(seen))
		}
		for c := range l.out[1] {
			l.out[1][c] = share(right[c], seen[c])
		}
		return nil
	}, nil
}

// isTop reports whether fewer than k other classes of item i have a score as
// large as the given class has.
func (a softmaxAxes) isTop(x []float32, i, class, k int) bool {
	score := x[a.place(i)+class*a.inner]
	if score != score {
		return false
	}
	better := 0
	for c := range a.classes {
		if c != class && x[a.place(i)+c*a.inner] >= score {
			better++
		}
	}
	return better < k
}

// share is n/of, or 0 of nothing.
func share(n, of int) float32 {
	if of == 0 {
		return 0
	}
	return float32(n) / float32(of)
}

func sumInts(v []int) int {
	sum := 0
	for _, n := range v {
		sum += n
	}
	return sum
}

func prepareArgMax(op engine.ArgMax, in, _ []engine.Desc) (compute, error) {
	axis, n := 1, len(in[0].Shape)-1
	if op.HasAxis {
		axis, n = op.Axis, 1
	}
	outer, classes, inner := split(in[0].Shape, axis, n)
	a := softmaxAxes{outer, classes, inner}
	return func(l *launch) error {
		l.each(a.count(), func(i int) {
			for j, c := range a.largest(l.in[0], i)[:op.TopK] {
				value := l.in[0][a.place(i)+c*inner]
				switch y := l.out[0]; {
				case op.HasAxis && op.Values:
					y[i/inner*op.TopK*inner+j*inner+i%inner] = value
				case op.HasAxis:
					y[i/inner*op.TopK*inner+j*inner+i%inner] = float32(c)
				case op.Values:
					y[2*i*op.TopK+j] = float32(c)
					y[(2*i+1)*op.TopK+j] = value
				default:
					y[i*op.TopK+j] = float32(c)
				}
			}
		})
		return nil
	}, nil
}

// largest lists the classes of item i, the best first; among equals the larger
// index is first, and NaN comes last.
func (a softmaxAxes) largest(x []float32, i int) []int {
	at := a.place(i)
	classes := make([]int, a.classes)
	for c := range classes {
		classes[c] = c
	}
	slices.SortFunc(classes, func(c, d int) int {
		return cmp.Or(cmp.Compare(x[at+d*a.inner], x[at+c*a.inner]), cmp.Compare(d, c))
	})
	return classes
}
