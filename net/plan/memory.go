package plan

import (
	"sort"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// span is the time during which a value's memory is in use: from the step that
// writes it first to the one that reads it last.
type span struct {
	v           graph.Value // graph.None: the scratch of a kernel
	step        *Step       // whose kernel
	first, last int
	bytes       int64
	offset      int64
}

func (a *span) overlaps(b *span) bool { return a.first <= b.last && b.first <= a.last }

// memory gives every value that is neither param nor state an offset in the
// arena. Values whose lives do not overlap share memory; an op that may write
// over an input that dies with it does so. Feeds, kept values and what is derived from
// params live for ever: the host writes and reads them between runs, or the next run reads them. The
// scratch of a kernel lives for one step: most of it fits where other values lie before
// or after.
func memory(p *program) error {
	spans := p.spans()
	if !p.opts.NoReuse {
		p.reuseInputs(spans)
		spans = p.spans()
	}
	list := make([]*span, 0, len(spans))
	for _, s := range spans {
		list = append(list, s)
	}
	for i, s := range p.steps {
		if s.kernel != nil && s.kernel.Workspace() > 0 {
			list = append(list, &span{v: graph.None, step: s, first: i, last: i, bytes: aligned(s.kernel.Workspace())})
		}
	}
	// The largest first, then in order of birth: few holes, the same every time.
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.bytes != b.bytes {
			return a.bytes > b.bytes
		}
		if a.first != b.first {
			return a.first < b.first
		}
		return a.v < b.v
	})
	for i, s := range list {
		s.offset = place(s, list[:i], p.opts.NoReuse)
		p.arenaSize = max(p.arenaSize, s.offset+s.bytes)
		if s.step != nil {
			s.step.scratch = s.offset
			continue
		}
		p.values[s.v].offset, p.values[s.v].bytes = s.offset, s.bytes
	}
	return nil
}

// place finds the lowest offset where s fits beside those placed before. With apart all
// values are beside each other; kernels still share their scratch.
func place(s *span, placed []*span, apart bool) int64 {
	var busy []*span
	for _, o := range placed {
		if o.overlaps(s) || apart && (o.step == nil || s.step == nil) {
			busy = append(busy, o)
		}
	}
	sort.Slice(busy, func(i, j int) bool { return busy[i].offset < busy[j].offset })
	var at int64
	for _, o := range busy {
		if at+s.bytes <= o.offset {
			break
		}
		at = max(at, o.offset+o.bytes)
	}
	return at
}

// spans finds the life of each root that lies in the arena.
func (p *program) spans() map[graph.Value]*span {
	spans := map[graph.Value]*span{}
	end := len(p.steps)
	lasting := p.lasting()
	touch := func(v graph.Value, at int) {
		root := p.values[v].root
		if _, stored := p.keys[root]; stored {
			return
		}
		s := spans[root]
		if s == nil {
			s = &span{v: root, first: at, bytes: aligned(p.bytes(p.desc(root)))}
			spans[root] = s
		}
		s.first, s.last = min(s.first, at), max(s.last, at)
	}
	for v := range p.values {
		if p.values[v].Origin == graph.FromFeed {
			touch(graph.Value(v), -1)
			touch(graph.Value(v), end)
		}
	}
	for i, s := range p.steps {
		for _, v := range s.In {
			touch(v, i)
		}
		for _, v := range s.Out {
			if v != graph.None {
				touch(v, i)
			}
			if v != graph.None && lasting[p.values[v].root] {
				touch(v, -1)
				touch(v, end)
			}
		}
	}
	for v := range p.values {
		root := p.values[v].root
		if s := spans[root]; s != nil && p.values[v].keep {
			s.last = end
		}
	}
	return spans
}

// reuseInputs lets in-place ops write over an input that nobody reads later.
func (p *program) reuseInputs(spans map[graph.Value]*span) {
	for i, s := range p.steps {
		op, ok := s.Op.(engine.InPlacer)
		if !ok || op.InPlace() < 0 || s.host != nil || s.Out[0] == graph.None {
			continue
		}
		in, out := p.values[s.In[op.InPlace()]].root, p.values[s.Out[0]].root
		from, to := spans[in], spans[out]
		if from == nil || to == nil || in == out || p.values[in].Origin != graph.FromOp || from.last != i || from.bytes != to.bytes || p.readTwice(s, in) {
			continue
		}
		if !p.desc(s.In[op.InPlace()]).Equal(p.desc(s.Out[0])) || p.isPart(s.In[op.InPlace()]) || p.isPart(s.Out[0]) {
			continue
		}
		p.mergeRoots(out, in)
		from.last = max(from.last, to.last)
		delete(spans, out)
	}
}

// isPart reports whether a value is less than its root's memory.
func (p *program) isPart(v graph.Value) bool {
	return p.bytes(p.desc(v)) != p.bytes(p.desc(p.values[v].root))
}

// readTwice reports whether the step reads a root through more than one input:
// writing over it would change the other.
func (p *program) readTwice(s *Step, root graph.Value) bool {
	n := 0
	for _, v := range s.In {
		if p.values[v].root == root {
			n++
		}
	}
	return n > 1
}

// mergeRoots makes every alias of from an alias of to.
func (p *program) mergeRoots(from, to graph.Value) {
	for v := range p.values {
		if p.values[v].root == from {
			p.values[v].root = to
		}
	}
}

func aligned(n int64) int64 { return (n + engine.Align - 1) / engine.Align * engine.Align }
