package filler

import (
	"fmt"
	"math"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// bilinear makes every square kernel of a 4-axis blob that of bilinear interpolation, which is what an upsampling Deconvolution
// starts from. With w the width, f = ⌈w/2⌉ and c = (w−1)/(2f):
//
//	kernel[y][x] = (1 − |x/f − c|)·(1 − |y/f − c|)
func bilinear(_ *caffepb.FillerParameter, b blob, _ *rng.Source) error {
	if len(b.shape) != 4 || b.shape[2] != b.shape[3] {
		return fmt.Errorf("bilinear filler: Blob must be 4 dim. and Filter must be square; the shape is %v", b.shape)
	}
	w := b.shape[3]
	f := (w + 1) / 2
	c := float32(float64(w-1) / float64(2*f))
	tent := make([]float32, w)
	for x := range tent {
		tent[x] = 1 - float32(math.Abs(float64(float32(x)/float32(f)-c)))
	}
	for i := range b.data {
		b.data[i] = tent[i%w] * tent[i/w%w]
	}
	return nil
}
