package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "SPP", Bottoms: exactly(1), Tops: exactly(1), Check: checkSPP, Lower: lowerSPP})
}

// maxPyramid keeps 2^level an int; no image is that large.
const maxPyramid = 30

func checkSPP(l *spec.Layer) error {
	p := l.GetSppParam()
	switch {
	case p.GetPool() == caffepb.SPPParameter_STOCHASTIC:
		return l.FieldErrorf("spp_param.pool", "STOCHASTIC pooling is Not Implemented Yet (nor is it on Caffe's CPU side): use MAX or AVE")
	case p.GetPyramidHeight() == 0 || p.GetPyramidHeight() > maxPyramid:
		return l.FieldErrorf("spp_param", "spp_param.pyramid_height must be 1 to %d, not %d", maxPyramid, p.GetPyramidHeight())
	}
	return nil
}

// lowerSPP emits spatial pyramid pooling (He et al. 2014): level i divides the
// bottom (N, C, H, W) into 2^i × 2^i bins and pools each; the levels are
// flattened and joined to (N, C·Σ bins). A pyramid of height 1 is the pooling
// alone, (N, C, 1, 1), as in Caffe.
func lowerSPP(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x := b.Shape(bottom[0])
	if len(x) != 4 {
		b.Failf("Input must have 4 axes, corresponding to (num, channels, height, width): bottom %s has shape %v", l.GetBottom()[0], x)
		return nil
	}
	if x[2] <= 0 || x[3] <= 0 {
		b.Failf("Input dimensions cannot be zero: bottom %s has shape %v", l.GetBottom()[0], x)
		return nil
	}
	p := l.GetSppParam()
	var levels []graph.Value
	for i := range int(p.GetPyramidHeight()) {
		op, ok := pyramidLevel(b, x, 1<<i)
		if !ok {
			return nil
		}
		if p.GetPool() == caffepb.SPPParameter_AVE {
			op.Method = engine.AvePool
		}
		y := b.Op(op, bottom[0])
		if p.GetPyramidHeight() == 1 {
			return []graph.Value{y}
		}
		levels = append(levels, b.Reshape(y, x[0], b.Shape(y)[1:].Count()))
	}
	return []graph.Value{b.Op(engine.Concat{Axis: 1}, levels...)}
}

// pyramidLevel is the pooling of an image into bins × bins windows that do not
// overlap, padded evenly.
func pyramidLevel(b *graph.Builder, x engine.Shape, bins int) (engine.Pool, bool) {
	var kernel, pad, out [2]int
	for i := range kernel {
		kernel[i] = (x[2+i] + bins - 1) / bins
		pad[i] = (kernel[i]*bins - x[2+i] + 1) / 2
		if pad[i] >= kernel[i] {
			b.Failf("the image of %d x %d is too small for %d bins a side: the padding (%d) must be smaller than the window (%d); lower pyramid_height",
				x[2], x[3], bins, pad[i], kernel[i])
			return engine.Pool{}, false
		}
	}
	for i := range out {
		out[i] = pooled(x[2+i], kernel[i], kernel[i], pad[i], pad != [2]int{}, true)
	}
	return engine.Pool{
		Kernel: engine.IntsOf(kernel[:]...), Stride: engine.IntsOf(kernel[:]...), Pad: engine.IntsOf(pad[:]...), Out: engine.IntsOf(out[:]...),
	}, true
}
