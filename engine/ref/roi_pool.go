package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareROIPool)
	register(prepareROIPoolGrad)
}

// span is the cells of an axis that a bin covers: from up to and without to.
type span struct{ from, to int }

// roiItems reads which item each region lies in.
func roiItems(rois []float32, items int) ([]int, error) {
	first := make([]float32, 0, len(rois)/5)
	for i := 0; i < len(rois); i += 5 {
		first = append(first, rois[i])
	}
	return rowsOf(first, items)
}

// cell is a coordinate in cells, halves rounded away from zero.
func cell(v, scale float32) int { return int(math.Round(float64(v * scale))) }

// roiBins are the bins of one axis of a region, cut to the size of the plane.
// The arithmetic is Caffe's in float32: a bin's edge may fall on a cell's.
func roiBins(first, last float32, scale float32, bins, size int) []span {
	start, end := cell(first, scale), cell(last, scale)
	step := float32(max(end-start+1, 1)) / float32(bins)
	list := make([]span, bins)
	for i := range list {
		from := int(math.Floor(float64(float32(i)*step))) + start
		to := int(math.Ceil(float64(float32(i+1)*step))) + start
		list[i] = span{min(max(from, 0), size), min(max(to, 0), size)}
	}
	return list
}

func prepareROIPool(op engine.ROIPool, in, out []engine.Desc) (compute, error) {
	x := in[0].Shape
	return func(l *launch) error {
		rois := l.in[1]
		item, err := roiItems(rois, x[0])
		if err != nil {
			return err
		}
		n := len(item) * x[1] * op.H * op.W
		y, index := l.output(0, n), int32s(l.output(1, n))
		area, bins := x[2]*x[3], op.H*op.W
		l.each(len(item), func(r int) {
			roi := rois[5*r:][:5]
			rows := roiBins(roi[2], roi[4], op.Scale, op.H, x[2])
			cols := roiBins(roi[1], roi[3], op.Scale, op.W, x[3])
			for c := range x[1] {
				plane := l.in[0][(item[r]*x[1]+c)*area:][:area]
				at := (r*x[1] + c) * bins
				poolBins(y[at:at+bins], index[at:at+bins], plane, rows, cols, x[3])
			}
		})
		return nil
	}, nil
}

// poolBins takes the first strict maximum of each bin; 0 and −1 for an empty one.
func poolBins(y []float32, index []int32, plane []float32, rows, cols []span, width int) {
	for i, row := range rows {
		for j, col := range cols {
			best, at := float32(0), int32(-1)
			if row.from < row.to && col.from < col.to {
				best = -math.MaxFloat32
			}
			for h := row.from; h < row.to; h++ {
				for w := col.from; w < col.to; w++ {
					if v := plane[h*width+w]; v > best {
						best, at = v, int32(h*width+w)
					}
				}
			}
			y[i*len(cols)+j], index[i*len(cols)+j] = best, at
		}
	}
}

func prepareROIPoolGrad(op engine.ROIPoolGrad, in, _ []engine.Desc) (compute, error) {
	dy := in[0].Shape
	bins, area := dy[2]*dy[3], op.Height*op.Width
	return func(l *launch) error {
		item, err := roiItems(l.in[1], op.N)
		if err != nil {
			return err
		}
		index, dx := int32s(l.in[2]), l.out[0]
		clear(dx)
		l.each(dy[1], func(c int) {
			for r, n := range item {
				at := (r*dy[1] + c) * bins
				for i := at; i < at+bins; i++ {
					if p := int(index[i]); p >= 0 && p < area {
						dx[(n*dy[1]+c)*area+p] += l.in[0][i]
					}
				}
			}
		})
		return nil
	}, nil
}
