//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareGather)
	register(prepareGatherGrad)
}

type gatherArgs struct {
	X, Index, Y, Flag uint64
	Row               div
	N, Limit, Entries uint32
}

var (
	gather     = declare[gatherArgs]("gather")
	gatherGrad = declare[gatherArgs]("gather_grad")
)

// indexError words what a kernel reports of an index.
func indexError(rows int) func(item int, value float32) error {
	return func(item int, value float32) error {
		return &engine.IndexError{Index: value, Item: item, Rows: rows}
	}
}

func prepareGather(d *device, op engine.Gather, in, out []engine.Desc) (*kernel, error) {
	n, limit := out[0].Shape.Count(), in[0].Shape[0]
	b := newBuild(d, op, in, out)
	at := b.flag(indexError(limit))
	each(b, gather, "", n, func(l *launch) gatherArgs {
		return gatherArgs{X: l.in[0], Index: l.in[1], Y: l.out[0], Flag: at,
			Row: divOf(in[0].Shape[1:].Count()), N: uint32(n), Limit: uint32(limit)}
	})
	return b.kernel()
}

func prepareGatherGrad(d *device, op engine.GatherGrad, in, out []engine.Desc) (*kernel, error) {
	width := out[0].Shape[1:].Count()
	b := newBuild(d, op, in, out)
	at := b.flag(indexError(op.Rows))
	add(b, gatherGrad, "", b.d.blocksFor(op.Rows*blockSize, blockSize), blockSize, func(l *launch) gatherArgs {
		return gatherArgs{X: l.in[0], Index: l.in[1], Y: l.out[0], Flag: at,
			Row: divOf(width), Limit: uint32(op.Rows), Entries: uint32(in[1].Shape.Count())}
	})
	return b.kernel()
}
