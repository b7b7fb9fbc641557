//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareConfusion)
	register(prepareSegmentScores)
}

// maxIgnored is how many labels to ignore the kernel's arguments hold.
const maxIgnored = 8

type confusionArgs struct {
	X, Added, Old, Y uint64
	Labels           labels
	Z                row
	N, Ignored       uint32
	Ignore           [maxIgnored]int32
}

type segmentScoresArgs struct {
	Counts, Y uint64
	Classes   uint32
}

var (
	confusionCount = declare[confusionArgs]("confusion_count", rowForms(formF32)...)
	confusionAdd   = declare[confusionArgs]("confusion_add")
	segmentScores  = declare[segmentScoresArgs]("segment_scores")
)

func prepareConfusion(d *device, op engine.Confusion, in, out []engine.Desc) (*kernel, error) {
	z, err := viewOf(op, in[0], 1, 1)
	if err != nil {
		return nil, err
	}
	ignore, pairs := op.Ignore.List(), z.mid*z.mid
	if len(ignore) > maxIgnored {
		return nil, unsupported(op, "more labels to ignore than its kernel takes")
	}
	b := newBuild(d, op, in, out)
	added, s := b.scratch(4*pairs), b.newLoss(z, false, 0, engine.NormNone)
	args := func(l *launch) confusionArgs {
		a := confusionArgs{X: l.in[0], Added: added(l), Old: l.in[2], Y: l.out[0], Labels: s.labels(l.in[1]), Z: rowOf(z),
			N: uint32(pairs), Ignored: uint32(len(ignore))}
		for i, v := range ignore {
			a.Ignore[i] = int32(v)
		}
		return a
	}
	b.set(added, pairs, 0)
	rows(b, confusionCount, formF32, z, args)
	each(b, confusionAdd, "", pairs, args)
	return b.kernel()
}

func prepareSegmentScores(d *device, op engine.SegmentScores, in, out []engine.Desc) (*kernel, error) {
	classes := in[0].Shape[1]
	b := newBuild(d, op, in, out)
	single(b, segmentScores, "", classes, func(l *launch) segmentScoresArgs {
		return segmentScoresArgs{Counts: l.in[0], Y: l.out[0], Classes: uint32(classes)}
	})
	return b.kernel()
}
