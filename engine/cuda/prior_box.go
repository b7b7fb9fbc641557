//go:build cgo && linux

package cuda

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(preparePriorBox) }

// maxBoxes is how many boxes of a cell the kernel's arguments hold.
const maxBoxes = 64

type priorBoxArgs struct {
	Y                                    uint64
	Columns, Boxes                       div
	N, Clip                              uint32
	ImageH, ImageW, StepH, StepW, Offset float32
	Variance                             [4]float32
	Size                                 [maxBoxes][2]float32
}

var priorBox = declare[priorBoxArgs]("prior_box")

func preparePriorBox(d *device, op engine.PriorBox, in, out []engine.Desc) (*kernel, error) {
	if op.PerCell() > maxBoxes {
		return nil, unsupported(op, "more boxes of a cell than its kernel takes")
	}
	a := priorBoxArgs{Columns: divOf(op.W), Boxes: divOf(op.PerCell()), N: uint32(op.H * op.W * op.PerCell()), Clip: flag(op.Clip),
		ImageH: float32(op.ImageH), ImageW: float32(op.ImageW), StepH: op.StepH, StepW: op.StepW, Offset: op.Offset}
	copy(a.Variance[:], op.Variances.List())
	copy(a.Size[:], priorSizes(op))
	b := newBuild(d, op, in, out)
	each(b, priorBox, "", int(a.N), func(l *launch) priorBoxArgs {
		a := a
		a.Y = l.out[0]
		return a
	})
	return b.kernel()
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
