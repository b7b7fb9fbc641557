package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(preparePriorBox) }

func preparePriorBox(op engine.PriorBox, _, _ []engine.Desc) (compute, error) {
	sizes, variances := priorSizes(op), op.Variances.List()
	return func(l *launch) error {
		y := l.out[0]
		half := len(y) / 2
		l.each(op.H, func(row int) {
			at := row * op.W * len(sizes) * 4
			cy := (float32(row) + op.Offset) * op.StepH
			for col := range op.W {
				cx := (float32(col) + op.Offset) * op.StepW
				for _, s := range sizes {
					corners := [4]float32{
						(cx - s[0]/2) / float32(op.ImageW), (cy - s[1]/2) / float32(op.ImageH),
						(cx + s[0]/2) / float32(op.ImageW), (cy + s[1]/2) / float32(op.ImageH),
					}
					for i, v := range corners {
						if op.Clip {
							v = min(max(v, 0), 1)
						}
						y[at+i], y[half+at+i] = v, variances[i]
					}
					at += 4
				}
			}
		})
		return nil
	}, nil
}

// priorSizes are width and height of the boxes of a cell, in pixels.
func priorSizes(op engine.PriorBox) [][2]float32 {
	var sizes [][2]float32
	largest := op.MaxSizes.List()
	for i, v := range op.MinSizes.List() {
		side := math.Trunc(float64(v))
		sizes = append(sizes, [2]float32{float32(side), float32(side)})
		if len(largest) > 0 {
			mean := float32(math.Sqrt(side * math.Trunc(float64(largest[i]))))
			sizes = append(sizes, [2]float32{mean, mean})
		}
		for _, r := range op.Ratios.List() {
			root := math.Sqrt(float64(r))
			sizes = append(sizes, [2]float32{float32(side * root), float32(side / root)})
		}
	}
	return sizes
}
