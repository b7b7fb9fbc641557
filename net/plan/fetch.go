package plan

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// errNotKept says that a value's memory may hold something else by now.
var errNotKept = errors.New("is not kept by this plan")

// Feed writes a feed's value.
func (p *Plan) Feed(v graph.Value, src []float32) error { return p.Store(v, src) }

// FeedBytes writes a feed of type U8.
func (p *Plan) FeedBytes(v graph.Value, src []byte) error {
	if err := p.checkCount(v, len(src)); err != nil {
		return err
	}
	if d := p.desc(v); d.DType != engine.U8 || p.values[v].Origin != graph.FromFeed {
		return fmt.Errorf("plan: %s is %v, it can't be fed with bytes", p.values[v].Name, d.DType)
	}
	if err := p.begin(); err != nil {
		return err
	}
	p.stream.CopyIn(p.buffer(v), src)
	return p.waitUnlessAhead()
}

// FeedBuffer is the memory of a feed where the host can write it, else nil. It
// must not be written while the plan runs.
func (p *Plan) FeedBuffer(v graph.Value) []float32 {
	if p.values[v].Origin != graph.FromFeed || p.values[v].Desc.Layout != engine.Plain || p.desc(v).DType != engine.F32 || p.arena == nil {
		return nil
	}
	b := p.buffer(v)
	if b.Host() == nil {
		return nil
	}
	return unsafe.Slice((*float32)(b.Host()), p.desc(v).Shape.Count())
}

// Store writes a feed, a param or a state from dense row-major numbers.
func (p *Plan) Store(v graph.Value, src []float32) error {
	if err := p.checkCount(v, len(src)); err != nil {
		return err
	}
	if p.values[v].Origin == graph.FromOp {
		return fmt.Errorf("plan: %s is computed, it can't be set", p.values[v].Name)
	}
	if p.desc(v).DType == engine.U8 {
		return p.FeedBytes(v, octets(src))
	}
	if err := p.begin(); err != nil {
		return err
	}
	d := p.desc(v)
	if e := p.entryOf(v); e != nil {
		e.version++
	}
	if d.Layout == engine.Plain {
		p.stream.CopyIn(p.buffer(v), bytesOf(src))
		return p.waitUnlessAhead()
	}
	if err := p.needScratch(d); err != nil {
		return err
	}
	p.stream.CopyIn(p.scratch.Slice(0, d.Bytes()), bytesOf(src))
	from := d
	from.Layout = engine.Plain
	return p.reorder(from, d, p.scratch.Slice(0, d.Bytes()), p.buffer(v))
}

// waitUnlessAhead ends a call whose work the host need not wait for.
func (p *Plan) waitUnlessAhead() error {
	if p.ahead {
		return nil
	}
	return p.Wait()
}

// Fetch reads a kept value, a feed, a param or a state as dense row-major
// numbers, in float32 whatever it is stored in.
func (p *Plan) Fetch(v graph.Value, dst []float32) error {
	if err := p.FetchLater(v, dst); err != nil {
		return err
	}
	return p.Wait()
}

// FetchLater is Fetch, but that dst has the numbers only after Wait, or whatever waits: so
// the next runs can be launched meanwhile.
func (p *Plan) FetchLater(v graph.Value, dst []float32) error {
	if err := p.checkCount(v, len(dst)); err != nil {
		return err
	}
	if info := p.values[v]; info.Origin == graph.FromOp && !p.readable(v) {
		return fmt.Errorf("plan: %s %w", info.Name, errNotKept)
	}
	d := p.desc(v)
	if d.DType == engine.U8 {
		return p.fetchBytes(v, dst)
	}
	if d.DType != engine.F32 && d.DType != engine.BF16 {
		return fmt.Errorf("plan: %s is %v, only f32 and bf16 can be read", p.values[v].Name, d.DType)
	}
	if err := p.begin(); err != nil {
		return err
	}
	to := engine.Dense(d.Shape...)
	if d.Equal(to) {
		p.stream.CopyOut(bytesOf(dst), p.buffer(v))
		return p.waitUnlessAhead()
	}
	if err := p.needScratch(to); err != nil {
		return err
	}
	plain := p.scratch.Slice(0, to.Bytes())
	if err := p.reorder(d, to, p.buffer(v), plain); err != nil {
		return err
	}
	p.stream.CopyOut(bytesOf(dst), plain)
	return p.Wait() // the scratch is free then
}

// fetchBytes reads a value of type U8 as numbers.
func (p *Plan) fetchBytes(v graph.Value, dst []float32) error {
	if err := p.begin(); err != nil {
		return err
	}
	bytes := make([]byte, len(dst))
	p.stream.CopyOut(bytes, p.buffer(v))
	if err := p.Wait(); err != nil {
		return err
	}
	for i, b := range bytes {
		dst[i] = float32(b)
	}
	return nil
}

// octets is numbers from 0 to 255 as bytes.
func octets(numbers []float32) []byte {
	bytes := make([]byte, len(numbers))
	for i, v := range numbers {
		bytes[i] = byte(v)
	}
	return bytes
}

// readable reports whether a computed value still lies in memory after a run:
// it is kept, or it lies in a param or state.
func (p *Plan) readable(v graph.Value) bool {
	root := p.values[v].root
	_, stored := p.keys[root]
	return stored || p.values[v].keep
}

// Zero clears a param or a state.
func (p *Plan) Zero(v graph.Value) error {
	if err := p.begin(); err != nil {
		return err
	}
	if e := p.entryOf(v); e != nil {
		e.version++
	}
	p.stream.Zero(p.buffer(v))
	return p.waitUnlessAhead()
}

func (p *Plan) checkCount(v graph.Value, n int) error {
	if v < 0 || int(v) >= len(p.g.Values) {
		return fmt.Errorf("plan: no value %d", v)
	}
	if want := p.desc(v).Shape.Count(); want != n {
		return fmt.Errorf("plan: %s has %d elements, got %d", p.values[v].Name, want, n)
	}
	return nil
}

func (p *Plan) needScratch(d engine.Desc) error {
	if p.scratch != nil && p.scratch.Bytes() >= d.Bytes() {
		return nil
	}
	if p.scratch != nil {
		if err := p.scratch.Close(); err != nil {
			return err
		}
	}
	var err error
	p.scratch, err = p.dev.Alloc(aligned(d.Bytes()))
	return err
}

func (p *Plan) reorder(from, to engine.Desc, src, dst engine.Buffer) error {
	key := fmt.Sprint(from, to)
	k, ok := p.reorders[key]
	if !ok {
		var err error
		if k, err = p.dev.Prepare(engine.Reorder{}, []engine.Desc{from}, []engine.Desc{to}); err != nil {
			return err
		}
		p.reorders[key] = k
	}
	args := engine.Args{In: []engine.Buffer{src}, Out: []engine.Buffer{dst}}
	if n := k.Workspace(); n > 0 {
		w, err := p.dev.Alloc(n)
		if err != nil {
			return err
		}
		args.Workspace = w
	}
	p.stream.Launch(k, &args)
	err := p.Wait()
	if args.Workspace != nil {
		err = errors.Join(err, args.Workspace.Close())
	}
	return err
}
