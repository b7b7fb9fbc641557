package ref

import (
	"cmp"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareBoxAnnotator) }

func prepareBoxAnnotator(op engine.BoxAnnotator, in, _ []engine.Desc) (compute, error) {
	weights := in[3].Shape
	channels, inner := weights[1], weights[2]*weights[3]
	return func(l *launch) error {
		regions, loss := l.in[0], l.in[1]
		for i := range l.out[0] {
			l.out[0][i] = float32(op.Ignore)
		}
		clear(l.out[1])
		order := make([]int, len(loss))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(loss[b], loss[a]) })
		kept := map[float32]int{} // by item
		for _, i := range order {
			n, s := i/inner, i%inner
			item := regions[n*5*inner+s]
			if kept[item] >= op.PerItem {
				continue
			}
			kept[item]++
			if l.out[0] != nil {
				l.out[0][i] = l.in[2][i]
			}
			if l.out[1] == nil {
				continue
			}
			for c := range channels {
				j := (n*channels+c)*inner + s
				l.out[1][j] = l.in[3][j]
			}
		}
		return nil
	}, nil
}
