//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareBinary)
	registerAny(prepareMaxGrad)
	registerAny(prepareSum)
}

type binaryArgs struct {
	DY, A, B, Y, Z uint64
	N, TieSecond   uint32
}

var (
	mul     = declare[binaryArgs]("mul", formF32, formBF16)
	maximum = declare[binaryArgs]("max", formF32, formBF16)
	maxGrad = declare[binaryArgs]("max_grad", formF32, formBF16)
)

func prepareBinary(d *device, op engine.Binary, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], in[1], out[0])
	if err != nil {
		return nil, err
	}
	p := mul
	if op.Fn == engine.Max {
		p = maximum
	}
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	packs(b, p, form, n, func(l *launch) binaryArgs {
		return binaryArgs{A: l.in[0], B: l.in[1], Y: l.out[0], N: uint32(n), TieSecond: flag(op.TieSecond)}
	})
	return b.kernel()
}

func prepareMaxGrad(d *device, op engine.MaxGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], in[1], in[2], out[0], out[1])
	if err != nil {
		return nil, err
	}
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	packs(b, maxGrad, form, n, func(l *launch) binaryArgs {
		return binaryArgs{DY: l.in[0], A: l.in[1], B: l.in[2], Y: l.out[0], Z: l.out[1], N: uint32(n), TieSecond: flag(op.TieSecond)}
	})
	return b.kernel()
}

// sumTerms is how many terms one launch adds up.
const sumTerms = 4

type sumArgs struct {
	X              [sumTerms]uint64
	Y              uint64
	Coeff          [sumTerms]float32
	N, Terms, ReLU uint32
	Slope          float32
}

var sum = declare[sumArgs]("sum", formF32, formBF16)

// term is an input of a sum; y stands for what was added up before.
type term struct {
	at    pointer
	coeff float32
}

// prepareSum launches a kernel for the first terms, then one for each few more,
// which begins with what there is.
func prepareSum(d *device, op engine.Sum, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, append(append([]engine.Desc{}, in...), out[0])...)
	if err != nil {
		return nil, err
	}
	coeff := op.Coeff.List()
	terms := make([]term, len(in))
	for i := range in {
		terms[i] = term{input(i), 1}
		if len(coeff) > 0 {
			terms[i].coeff = coeff[i]
		}
	}
	b := newBuild(d, op, in, out)
	n := in[0].Shape.Count()
	for len(terms) > 0 {
		some := terms[:min(len(terms), sumTerms)]
		if terms = terms[len(some):]; len(terms) > 0 {
			terms = append([]term{{output(0), 1}}, terms...)
		}
		last := len(terms) == 0
		packs(b, sum, form, n, func(l *launch) sumArgs {
			a := sumArgs{Y: l.out[0], N: uint32(n), Terms: uint32(len(some)), ReLU: flag(last && op.Act == engine.ActReLU), Slope: op.Slope}
			for i, t := range some {
				a.X[i], a.Coeff[i] = t.at(l), t.coeff
			}
			return a
		})
	}
	return b.kernel()
}
