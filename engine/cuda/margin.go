//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareMargin)
	register(prepareMarginGrad)
}

type marginArgs struct {
	DY, Product, Norm, Lambda, Y, NormGrad uint64
	Labels                                 labels
	Classes                                div
	N                                      uint32
	Times                                  int32
}

var (
	margin     = declare[marginArgs]("margin")
	marginGrad = declare[marginArgs]("margin_grad")
)

// newMargin is a launch over products but for its tensors; label is the labels'.
func (b *build) newMargin(times int, product engine.Shape) func(label uint64) marginArgs {
	at := b.flag(labelError(product[1]))
	return func(label uint64) marginArgs {
		return marginArgs{Labels: labels{Label: label, Flag: at, Classes: uint32(product[1])},
			Classes: divOf(product[1]), N: uint32(product.Count()), Times: int32(times)}
	}
}

func prepareMargin(d *device, op engine.Margin, in, out []engine.Desc) (*kernel, error) {
	b := newBuild(d, op, in, out)
	args := b.newMargin(op.Times, in[0].Shape)
	each(b, margin, "", in[0].Shape.Count(), func(l *launch) marginArgs {
		a := args(l.in[2])
		a.Product, a.Norm, a.Lambda, a.Y = l.in[0], l.in[1], l.in[3], l.out[0]
		return a
	})
	return b.kernel()
}

func prepareMarginGrad(d *device, op engine.MarginGrad, in, out []engine.Desc) (*kernel, error) {
	b := newBuild(d, op, in, out)
	args := b.newMargin(op.Times, in[1].Shape)
	each(b, marginGrad, "", in[1].Shape.Count(), func(l *launch) marginArgs {
		a := args(l.in[3])
		a.DY, a.Product, a.Norm, a.Lambda, a.Y, a.NormGrad = l.in[0], l.in[1], l.in[2], l.in[4], l.out[0], l.out[1]
		return a
	})
	return b.kernel()
}
