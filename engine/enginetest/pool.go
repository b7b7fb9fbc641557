package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Pool](poolCases)
	register[engine.PoolGrad](poolGradCases)
}

// pooling is a pooling and the shape of its input.
type pooling struct {
	op engine.Pool
	x  engine.Shape
}

// newPooling sets Out as Caffe does for its round mode: rounded up, and without
// the last window where that would begin in the padding.
func newPooling(method engine.PoolMethod, x engine.Shape, kernel, stride, pad []int, up bool) pooling {
	var out []int
	for i, size := range x[2:] {
		room := size + 2*pad[i] - kernel[i]
		n := room/stride[i] + 1
		if up {
			n = (room+stride[i]-1)/stride[i] + 1
		}
		for n > 1 && (n-1)*stride[i] >= size+pad[i] {
			n--
		}
		out = append(out, n)
	}
	op := engine.Pool{Method: method, Kernel: engine.IntsOf(kernel...), Stride: engine.IntsOf(stride...), Pad: engine.IntsOf(pad...), Out: engine.IntsOf(out...)}
	return pooling{op, x}
}

// poolings are those that nets use, then random ones.
func (g *source) poolings() []pooling {
	var list []pooling
	none, one, two, three := []int{0, 0}, []int{1, 1}, []int{2, 2}, []int{3, 3}
	for _, m := range []engine.PoolMethod{engine.MaxPool, engine.AvePool} {
		list = append(list,
			newPooling(m, engine.Shape{2, 16, 13, 13}, three, two, none, true),
			newPooling(m, engine.Shape{1, 19, 12, 12}, three, two, none, true), // hangs over the end
			newPooling(m, engine.Shape{2, 32, 8, 8}, two, two, none, true),
			newPooling(m, engine.Shape{2, 16, 7, 7}, three, one, one, true),
			newPooling(m, engine.Shape{1, 5, 14, 14}, three, two, one, true),       // hangs over with padding
			newPooling(m, engine.Shape{2, 33, 6, 5}, []int{6, 5}, one, none, true), // global
			newPooling(m, engine.Shape{1, 3, 9, 9}, two, three, none, true),        // gaps
			newPooling(m, engine.Shape{1, 4, 10, 10}, one, []int{4, 4}, none, true),
			newPooling(m, engine.Shape{2, 3, 11}, []int{3}, []int{2}, []int{1}, true),
			newPooling(m, engine.Shape{1, 2, 5, 6, 7}, []int{2, 3, 2}, []int{2, 2, 1}, []int{0, 1, 0}, true),
		)
		for range 15 {
			x := engine.Shape{g.between(1, 2), g.between(1, 20), g.between(4, 12), g.between(4, 12)}
			kernel := []int{g.between(1, 4), g.between(1, 4)}
			pad := []int{g.between(0, kernel[0]-1), g.between(0, kernel[1]-1)}
			stride := []int{g.between(1, kernel[0]), g.between(1, kernel[1])}
			list = append(list, newPooling(m, x, kernel, stride, pad, g.coin()))
		}
	}
	return list
}

func poolCases(g *source) []Case {
	var list []Case
	for i, p := range g.poolings() {
		x := g.values(p.x...)
		if i%2 == 0 {
			x = g.steps(p.x...)
		}
		c := Case{Op: p.op, In: []Tensor{x}}
		if p.op.Method == engine.MaxPool {
			c.Opaque = []int{1}
			masked := p.op
			masked.Mask = true
			list = append(list, Case{Op: masked, In: c.In})
		}
		list = append(list, c)
	}
	return list
}

// poolGradCases let the engine itself find the maxima; which of several equal
// ones it takes shows in where the gradient goes.
func poolGradCases(g *source) []Case {
	var list []Case
	for _, p := range g.poolings() {
		for _, mask := range []bool{false, true} {
			op := p.op
			op.Mask = mask
			y := append(p.x[:2:2], op.Out.List()...)
			grad := engine.PoolGrad{Method: op.Method, Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Out: op.Out, Mask: mask, Size: engine.IntsOf(p.x[2:]...)}
			c := Case{Op: grad, In: []Tensor{g.values(y...)}}
			if op.Method == engine.MaxPool {
				c.In = append(c.In, Tensor{Shape: y})
				c.From = map[int]Source{1: {Op: op, In: []Tensor{g.steps(p.x...)}, Out: 1}}
			} else if mask {
				continue
			}
			list = append(list, c)
		}
	}
	return list
}
