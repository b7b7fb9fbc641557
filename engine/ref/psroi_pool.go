package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(preparePSROIPool)
	register(preparePSROIPoolGrad)
}

// leastRegion is how small a region may be, in cells.
const leastRegion = 0.1

// psroiBins are the bins of one axis of a region, cut to the size of the plane.
// The arithmetic is Caffe's in float32: a bin's edge may fall on a cell's.
func psroiBins(first, last, scale float32, bins, size int) []span {
	start := float32(math.Round(float64(first))) * scale
	end := float32(math.Round(float64(last))+1) * scale
	step := max(end-start, leastRegion) / float32(bins)
	list := make([]span, bins)
	for i := range list {
		from := int(math.Floor(float64(float32(i)*step + start)))
		to := int(math.Ceil(float64(float32(i+1)*step + start)))
		list[i] = span{min(max(from, 0), size), min(max(to, 0), size)}
	}
	return list
}

// visitPSROI calls f for each bin: where it stands in y, the plane of x that it
// reads, and its rows and columns there.
func visitPSROI(op engine.PSROIPool, rois []float32, r, item, height, width int, f func(at, plane int, row, col span)) {
	g := op.Group
	roi := rois[5*r:][:5]
	rows := psroiBins(roi[2], roi[4], op.Scale, g, height)
	cols := psroiBins(roi[1], roi[3], op.Scale, g, width)
	for c := range op.Outputs {
		for i, row := range rows {
			for j, col := range cols {
				bin := (c*g+i)*g + j
				f(r*op.Outputs*g*g+bin, item*op.Outputs*g*g+bin, row, col)
			}
		}
	}
}

func preparePSROIPool(op engine.PSROIPool, in, _ []engine.Desc) (compute, error) {
	x := in[0].Shape
	area := x[2] * x[3]
	return func(l *launch) error {
		item, err := roiItems(l.in[1], x[0])
		if err != nil {
			return err
		}
		l.each(len(item), func(r int) {
			visitPSROI(op, l.in[1], r, item[r], x[2], x[3], func(at, plane int, row, col span) {
				sum := 0.0
				for h := row.from; h < row.to; h++ {
					for w := col.from; w < col.to; w++ {
						sum += float64(l.in[0][plane*area+h*x[3]+w])
					}
				}
				l.out[0][at] = 0
				if cells := (row.to - row.from) * (col.to - col.from); row.from < row.to && col.from < col.to {
					l.out[0][at] = float32(sum / float64(cells))
				}
			})
		})
		return nil
	}, nil
}

func preparePSROIPoolGrad(op engine.PSROIPoolGrad, _, _ []engine.Desc) (compute, error) {
	area := op.Height * op.Width
	return func(l *launch) error {
		item, err := roiItems(l.in[1], op.N)
		if err != nil {
			return err
		}
		dx := l.out[0]
		clear(dx)
		for r, n := range item { // regions overlap: one after the other
			visitPSROI(op.Forward(), l.in[1], r, n, op.Height, op.Width, func(at, plane int, row, col span) {
				d := l.in[0][at] / float32(max((row.to-row.from)*(col.to-col.from), 1))
				for h := row.from; h < row.to; h++ {
					for w := col.from; w < col.to; w++ {
						dx[plane*area+h*op.Width+w] += d
					}
				}
			})
		}
		return nil
	}, nil
}
