package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// windows is the geometry of a convolution: a number for each spatial axis.
type windows struct {
	kernel, stride, pad, dilation []int
	group, outputs                int
}

// checkConv checks what needs no shapes of the parameters of Convolution and
// Deconvolution.
func checkConv(l *spec.Layer) error {
	p := l.GetConvolutionParam()
	const at = "convolution_param."
	switch {
	case p.GetNumOutput() == 0:
		return l.FieldErrorf(at+"num_output", "convolution_param.num_output must be positive")
	case p.GetGroup() == 0:
		return l.FieldErrorf(at+"group", "convolution_param.group must be positive")
	case p.GetNumOutput()%p.GetGroup() != 0:
		return l.FieldErrorf(at+"group", "Number of output should be multiples of group: num_output is %d, group is %d.", p.GetNumOutput(), p.GetGroup())
	}
	return checkGeometry(l)
}

// checkGeometry checks what needs no shapes of the windows' geometry.
func checkGeometry(l *spec.Layer) error {
	p := l.GetConvolutionParam()
	if p == nil {
		p = &caffepb.ConvolutionParameter{}
	}
	const at = "convolution_param."
	switch {
	case (p.KernelH != nil || p.KernelW != nil) && len(p.GetKernelSize()) > 0:
		return l.FieldErrorf(at+"kernel_size", "Either kernel_size or kernel_h/w should be specified; not both.")
	case (p.StrideH != nil || p.StrideW != nil) && len(p.GetStride()) > 0:
		return l.FieldErrorf(at+"stride", "Either stride or stride_h/w should be specified; not both.")
	case (p.PadH != nil || p.PadW != nil) && len(p.GetPad()) > 0:
		return l.FieldErrorf(at+"pad", "Either pad or pad_h/w should be specified; not both.")
	}
	return nil
}

// windowsOf reads the geometry for a bottom of the given number of spatial axes.
func windowsOf(b *graph.Builder, l *spec.Layer, axes int) windows {
	p := l.GetConvolutionParam()
	if p == nil {
		p = &caffepb.ConvolutionParameter{}
	}
	r := perAxis{b: b, l: l, axes: axes}
	g := windows{group: int(p.GetGroup()), outputs: int(p.GetNumOutput())}
	g.kernel = r.read("kernel_size", "kernel", p.GetKernelSize(), p.KernelH, p.KernelW, -1)
	g.stride = r.read("stride", "stride", p.GetStride(), p.StrideH, p.StrideW, 1)
	g.pad = r.read("pad", "pad", p.GetPad(), p.PadH, p.PadW, 0)
	g.dilation = r.read("dilation", "dilation", p.GetDilation(), nil, nil, 1)
	r.positive("kernel_size", "Filter", g.kernel)
	r.positive("stride", "Stride", g.stride)
	r.positive("dilation", "Dilation", g.dilation)
	return g
}

// perAxis reads fields that are given once, once a spatial axis, or as a pair
// of _h and _w.
type perAxis struct {
	b    *graph.Builder
	l    *spec.Layer
	axes int
}

// read gives one number an axis; a negative fallback makes the field required.
func (r perAxis) read(field, stem string, list []uint32, h, w *uint32, fallback int) []int {
	out := make([]int, r.axes)
	if h != nil || w != nil {
		if r.axes != 2 {
			r.fail(field, "%s_h & %s_w can only be used for 2D convolution: the bottom has %d spatial axes.", stem, stem, r.axes)
			return out
		}
		for i, v := range []*uint32{h, w} {
			if v != nil {
				out[i] = int(*v)
			}
		}
		return out
	}
	n := len(list)
	if n != 1 && n != r.axes && !(n == 0 && fallback >= 0) {
		r.fail(field, "%s must be specified once, or once per spatial dimension (%s specified %d times; %d spatial dims).", field, field, n, r.axes)
		return out
	}
	for i := range out {
		switch n {
		case 0:
			out[i] = fallback
		case 1:
			out[i] = int(list[0])
		default:
			out[i] = int(list[i])
		}
	}
	return out
}

func (r perAxis) positive(field, noun string, v []int) {
	for _, n := range v {
		if n <= 0 {
			r.fail(field, "%s dimensions must be nonzero.", noun)
		}
	}
}

func (r perAxis) fail(field, format string, args ...any) {
	r.b.Fail(r.l.FieldErrorf("convolution_param."+field, format, args...))
}
