//go:build cgo && linux

package cuda

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	registerAny(prepareReshape)
	registerAny(prepareReorder)
	registerAny(prepareFill)
}

type transposeArgs struct {
	X, Y                 uint64
	Across, Down         div
	Batch, Rows, Columns uint32
}

type convertArgs struct {
	X, Y uint64
	N    uint32
}

var (
	transpose = declare[transposeArgs]("transpose", formF32+formF32, formF32+formBF16, formBF16+formF32, formBF16+formBF16)
	convert   = declare[convertArgs]("convert", formF32+formBF16, formBF16+formF32)
)

// prepareReshape is a copy, for where the plan cannot make it an alias.
func prepareReshape(d *device, op engine.Reshape, in, out []engine.Desc) (*kernel, error) {
	if _, err := alike(op, in[0], out[0]); err != nil {
		return nil, err
	}
	if in[0].Layout != engine.Plain {
		return nil, unsupported(op, "a layout of the device's own")
	}
	b := newBuild(d, op, in, out)
	b.copyAll(in[0])
	return b.kernel()
}

func (b *build) copyAll(t engine.Desc) {
	n := t.Shape.Count()
	b.copyRows(t.DType, 1, n, input(0), n, 0, output(0), n, 0)
}

// prepareReorder goes between the plain layout and that with the channels
// innermost, and between float32 and bfloat16.
func prepareReorder(d *device, op engine.Reorder, in, out []engine.Desc) (*kernel, error) {
	x, y := in[0], out[0]
	for _, t := range []engine.Desc{x, y} {
		if t.Layout != engine.Plain && (t.Layout != nhwc || len(t.Shape) != 4) {
			return nil, unsupported(op, "a layout that it does not know")
		}
		if t.DType == engine.I32 && x.DType != y.DType {
			return nil, unsupported(op, "integers as another type")
		}
	}
	b := newBuild(d, op, in, out)
	switch form := formOf(x.DType) + formOf(y.DType); {
	case x.Layout != y.Layout:
		b.transpose(x, form)
	case x.DType == y.DType:
		b.copyAll(x)
	default:
		n := x.Shape.Count()
		each(b, convert, form, n, func(l *launch) convertArgs { return convertArgs{l.in[0], l.out[0], uint32(n)} })
	}
	return b.kernel()
}

// widened is input i as float32.
func (b *build) widened(i int, t engine.Desc) pointer {
	if t.DType == engine.F32 {
		return input(i)
	}
	return b.converted(i, t, formBF16+formF32)
}

// converted is input i in another type, in scratch memory.
func (b *build) converted(i int, t engine.Desc, form string) pointer {
	n := t.Shape.Count()
	to := b.scratch(4 * n) // enough for either type
	each(b, convert, form, n, func(l *launch) convertArgs { return convertArgs{l.in[i], to(l), uint32(n)} })
	return to
}

// transpose adds the turn of each item from channels × places to places × channels
// or back.
func (b *build) transpose(x engine.Desc, form string) {
	rows, columns := x.Shape[1], x.Shape[2:].Count()
	if x.Layout == nhwc {
		rows, columns = columns, rows
	}
	const side = 32
	across, down := (columns+side-1)/side, (rows+side-1)/side
	blocks := x.Shape[0] * across * down
	add(b, transpose, form, b.d.blocksFor(blocks*256, 256), 256, func(l *launch) transposeArgs {
		return transposeArgs{X: l.in[0], Y: l.out[0], Across: divOf(across), Down: divOf(down),
			Batch: uint32(x.Shape[0]), Rows: uint32(rows), Columns: uint32(columns)}
	})
}

func prepareFill(d *device, op engine.Fill, in, out []engine.Desc) (*kernel, error) {
	if out[0].DType != engine.F32 {
		return nil, unsupported(op, "only float32")
	}
	b := newBuild(d, op, in, out)
	b.set(output(0), out[0].Shape.Count(), math.Float32bits(op.Value))
	return b.kernel()
}
