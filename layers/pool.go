package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "Pooling", Bottoms: exactly(1), Tops: between(1, 2), Check: checkPool, Lower: lowerPool})
}

// checkPool checks what needs no shapes of the pooling parameters.
func checkPool(l *spec.Layer) error {
	p := poolParam(l)
	const at = "pooling_param."
	size, pair, either := p.KernelSize != nil, p.KernelH != nil && p.KernelW != nil, p.KernelH != nil || p.KernelW != nil
	switch {
	case p.GetPool() == caffepb.PoolingParameter_STOCHASTIC:
		return l.FieldErrorf(at+"pool", "STOCHASTIC pooling is Not Implemented Yet (nor is it on Caffe's CPU side): use MAX or AVE")
	case p.GetPool() != caffepb.PoolingParameter_MAX && len(l.GetTop()) > 1:
		return l.FieldErrorf("top", "Pooling Layer takes at most 1 top blob(s) as output, not 2: only MAX pooling has a mask")
	case p.GetGlobalPooling() && (size || either):
		return l.FieldErrorf(at+"global_pooling", "With Global_pooling: true Filter size cannot specified")
	case !p.GetGlobalPooling() && either && !pair && !size:
		return l.FieldErrorf(at+"kernel_h", "For non-square filters both kernel_h and kernel_w are required.")
	case !p.GetGlobalPooling() && size == pair:
		return l.FieldErrorf(at+"kernel_size", "Filter size is kernel_size OR kernel_h and kernel_w; not both")
	case (p.PadH == nil) != (p.PadW == nil) || p.Pad != nil && p.PadH != nil:
		return l.FieldErrorf(at+"pad", "pad is pad OR pad_h and pad_w are required.")
	case (p.StrideH == nil) != (p.StrideW == nil) || p.Stride != nil && p.StrideH != nil:
		return l.FieldErrorf(at+"stride", "Stride is stride OR stride_h and stride_w are required.")
	case p.CeilMode != nil && p.RoundMode != nil && p.GetCeilMode() != (p.GetRoundMode() == caffepb.PoolingParameter_CEIL):
		return l.FieldErrorf(at+"ceil_mode", "ceil_mode: %v contradicts round_mode: %v; give one of them", p.GetCeilMode(), p.GetRoundMode())
	}
	return checkPoolSizes(l)
}

// poolParam is the layer's pooling_param, empty where it has none.
func poolParam(l *spec.Layer) *caffepb.PoolingParameter {
	if p := l.GetPoolingParam(); p != nil {
		return p
	}
	return &caffepb.PoolingParameter{}
}

func checkPoolSizes(l *spec.Layer) error {
	p := poolParam(l)
	kernel, stride, pad := poolSizes(p)
	for i := range 2 {
		switch {
		case stride[i] == 0:
			return l.FieldErrorf("pooling_param.stride", "Stride dimensions cannot be zero.")
		case p.GetGlobalPooling() && (stride[i] != 1 || pad[i] != 0):
			return l.FieldErrorf("pooling_param.global_pooling", "With Global_pooling: true; only pad = 0 and stride = 1")
		case p.GetGlobalPooling():
		case kernel[i] == 0:
			return l.FieldErrorf("pooling_param.kernel_size", "Filter dimensions cannot be zero.")
		case pad[i] >= kernel[i]:
			return l.FieldErrorf("pooling_param.pad", "pad (%d) must be smaller than the kernel (%d)", pad[i], kernel[i])
		}
	}
	return nil
}

// poolSizes are the window's sizes, height then width; the kernel is 0 with
// global_pooling.
func poolSizes(p *caffepb.PoolingParameter) (kernel, stride, pad [2]int) {
	kernel = [2]int{int(p.GetKernelSize()), int(p.GetKernelSize())}
	if p.KernelH != nil {
		kernel = [2]int{int(p.GetKernelH()), int(p.GetKernelW())}
	}
	stride = [2]int{int(p.GetStride()), int(p.GetStride())}
	if p.StrideH != nil {
		stride = [2]int{int(p.GetStrideH()), int(p.GetStrideW())}
	}
	pad = [2]int{int(p.GetPad()), int(p.GetPad())}
	if p.PadH != nil {
		pad = [2]int{int(p.GetPadH()), int(p.GetPadW())}
	}
	return kernel, stride, pad
}

// lowerPool emits top = max or mean of each window, and for a second top of MAX
// the place of the maximum in its plane.
func lowerPool(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := poolParam(l)
	x := b.Shape(bottom[0])
	if len(x) != 4 {
		b.Failf("Input must have 4 axes, corresponding to (num, channels, height, width): bottom %s has shape %v", l.GetBottom()[0], x)
		return nil
	}
	kernel, stride, pad := poolSizes(p)
	if p.GetGlobalPooling() {
		kernel = [2]int{x[2], x[3]}
	}
	ceil := p.GetRoundMode() == caffepb.PoolingParameter_CEIL && (p.CeilMode == nil || p.GetCeilMode())
	var out [2]int
	for i := range out {
		out[i] = pooled(x[2+i], kernel[i], stride[i], pad[i], pad != [2]int{}, ceil)
		if out[i] <= 0 {
			b.Failf("kernel %d does not fit in bottom %s of shape %v with pad %d", kernel[i], l.GetBottom()[0], x, pad[i])
			return nil
		}
	}
	op := engine.Pool{
		Kernel: engine.IntsOf(kernel[:]...), Stride: engine.IntsOf(stride[:]...), Pad: engine.IntsOf(pad[:]...), Out: engine.IntsOf(out[:]...),
		Mask: len(l.GetTop()) > 1,
	}
	if p.GetPool() == caffepb.PoolingParameter_AVE {
		op.Method = engine.AvePool
	}
	tops := b.Ops(op, bottom[0])
	return tops[:min(len(tops), len(l.GetTop()))]
}

// pooled is the number of windows along an axis of n. With padding anywhere, a
// last window that would start beyond the image is dropped.
func pooled(n, kernel, stride, pad int, padded, ceil bool) int {
	room := n + 2*pad - kernel
	if ceil {
		room += stride - 1
	}
	out := floorDiv(room, stride) + 1
	if padded && (out-1)*stride >= n+pad {
		out--
	}
	return out
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
