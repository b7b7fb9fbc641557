package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Conv](func(g *source) []Case { return g.convs(convCase) })
	register[engine.ConvGradData](func(g *source) []Case { return g.convs(convGradDataCase) })
	register[engine.ConvGradWeights](func(g *source) []Case { return g.convs(convGradWeightsCase) })
}

// geometry is a convolution and the shapes that go with it.
type geometry struct {
	op      engine.Conv
	x, w, y engine.Shape
}

// newGeometry fits a convolution of n images with c channels to o channels.
func newGeometry(n, c, o, group int, size, kernel, stride, pad, dilation []int) (geometry, bool) {
	op := engine.Conv{Group: group, Kernel: engine.IntsOf(kernel...), Stride: engine.IntsOf(stride...), Pad: engine.IntsOf(pad...), Dilation: engine.IntsOf(dilation...)}
	g := geometry{op: op, x: append(engine.Shape{n, c}, size...), w: append(engine.Shape{o, c / group}, kernel...)}
	out, err := op.Infer([]engine.Desc{engine.Dense(g.x...), engine.Dense(g.w...)})
	if err != nil {
		return g, false
	}
	g.y = out[0].Shape
	return g, true
}

// convs makes a case of each geometry: first those that nets use, then random.
func (g *source) convs(make func(g *source, z geometry, withEpilogue bool) Case) []Case {
	one, two := []int{1, 1}, []int{2, 2}
	var list []Case
	for _, z := range []struct {
		n, c, o, group                      int
		size, kernel, stride, pad, dilation []int
	}{
		{2, 3, 16, 1, []int{15, 15}, []int{7, 7}, two, []int{3, 3}, one}, // a first layer
		{2, 32, 48, 1, []int{9, 9}, []int{3, 3}, one, one, one},          // in blocks of 16
		{2, 16, 32, 1, []int{7, 7}, one, one, []int{0, 0}, one},          // pointwise
		{1, 33, 20, 1, []int{6, 6}, one, two, []int{0, 0}, one},          // pointwise with stride
		{2, 32, 32, 32, []int{8, 8}, []int{3, 3}, one, one, one},         // depthwise
		{1, 6, 12, 6, []int{8, 8}, []int{3, 3}, two, one, one},           // two outputs a channel
		{2, 20, 10, 2, []int{8, 9}, []int{5, 3}, []int{2, 1}, []int{2, 0}, one},
		{1, 8, 8, 1, []int{13, 13}, []int{3, 3}, one, two, two},                                      // dilated
		{1, 4, 5, 1, []int{11, 11}, []int{2, 2}, []int{3, 3}, []int{0, 0}, one},                      // stride > kernel
		{1, 5, 4, 1, []int{4, 4}, []int{3, 3}, one, []int{4, 4}, one},                                // pad > kernel
		{3, 10, 500, 1, []int{4, 4}, []int{4, 4}, one, []int{0, 0}, one},                             // all of the image
		{2, 5, 7, 1, []int{17}, []int{4}, []int{2}, []int{1}, []int{1}},                              // 1-D
		{1, 4, 6, 2, []int{5, 6, 7}, []int{3, 2, 3}, []int{1, 2, 1}, []int{1, 0, 1}, []int{1, 1, 2}}, // 3-D
		{2, 6, 4, 2, nil, nil, nil, nil, nil},                                                        // no spatial axis
	} {
		if z, ok := newGeometry(z.n, z.c, z.o, z.group, z.size, z.kernel, z.stride, z.pad, z.dilation); ok {
			list = append(list, make(g, z, false), make(g, z, true))
		}
	}
	list = append(list, g.winograds(make)...)
	for len(list) < 60 {
		if z, ok := g.geometry(); ok {
			list = append(list, make(g, z, g.coin()))
		}
	}
	return list
}

// winograds makes cases of a size at which engines use Winograd's algorithm: ragged
// planes, groups, and channels that do not fill what a kernel does at once.
func (g *source) winograds(make func(g *source, z geometry, withEpilogue bool) Case) []Case {
	one := []int{1, 1}
	var list []Case
	for _, z := range []struct {
		n, c, o, group int
		size, pad      []int
	}{
		{1, 64, 64, 1, []int{38, 41}, one},
		{1, 80, 112, 1, []int{45, 46}, []int{0, 2}},
		{2, 128, 192, 2, []int{33, 31}, one},
	} {
		if z, ok := newGeometry(z.n, z.c, z.o, z.group, z.size, []int{3, 3}, one, z.pad, one); ok {
			c := make(g, z, true)
			c.Winograd = true
			list = append(list, c)
		}
	}
	return list
}

// geometry is a random convolution, if it fits.
func (g *source) geometry() (geometry, bool) {
	group := pick(g, 1, 1, 1, 2, 3)
	var size, kernel, stride, pad, dilation []int
	for range pick(g, 1, 2, 2, 2, 2, 3) {
		size = append(size, g.between(1, 12))
		kernel = append(kernel, g.between(1, 4))
		stride = append(stride, g.between(1, 3))
		pad = append(pad, g.between(0, 2))
		dilation = append(dilation, pick(g, 1, 1, 2))
	}
	return newGeometry(g.between(1, 3), group*g.between(1, 9), group*g.between(1, 9), group, size, kernel, stride, pad, dilation)
}

func convCase(g *source, z geometry, withEpilogue bool) Case {
	in := []Tensor{g.values(z.x...), g.values(z.w...)}
	if withEpilogue {
		var extra []Tensor
		z.op.Epilogue, extra = g.epilogue(z.y, z.w[0])
		if z.op.Epilogue.Act == engine.ActNone && z.op.Epilogue.Bias {
			z.op.Epilogue.Act, z.op.Epilogue.Low, z.op.Epilogue.High = engine.ActClip, -0.25, 1.5
		}
		in = append(in, extra...)
	}
	return Case{Op: z.op, In: in}
}

func convGradDataCase(g *source, z geometry, withEpilogue bool) Case {
	o := z.op
	op := engine.ConvGradData{Kernel: o.Kernel, Stride: o.Stride, Pad: o.Pad, Dilation: o.Dilation, Group: o.Group, Size: engine.IntsOf(z.x[2:]...)}
	in := []Tensor{g.values(z.y...), g.values(z.w...)}
	if withEpilogue {
		var extra []Tensor
		op.Epilogue, extra = g.epilogue(z.x, z.x[1])
		in = append(in, extra...)
	}
	return Case{Op: op, In: in}
}

func convGradWeightsCase(g *source, z geometry, withBias bool) Case {
	o := z.op
	op := engine.ConvGradWeights{Kernel: o.Kernel, Stride: o.Stride, Pad: o.Pad, Dilation: o.Dilation, Group: o.Group, Bias: withBias}
	return Case{Op: op, In: []Tensor{g.values(z.x...), g.values(z.y...)}}
}
