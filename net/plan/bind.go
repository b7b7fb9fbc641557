package plan

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// bind allocates the arenas and gives every step its buffers.
func (p *Plan) bind() error {
	var err error
	if p.stream, err = p.dev.NewStream(); err != nil {
		return err
	}
	_, p.ahead = p.stream.(engine.Asynchronous)
	if err := p.storage.ensure(p.program, p.stream); err != nil {
		return err
	}
	if p.arena, err = p.alloc(p.arenaSize); err != nil {
		return fmt.Errorf("plan: %d bytes of activations: %w; a smaller batch_size needs less", p.arenaSize, err)
	}
	for _, s := range p.steps {
		s.args = p.argsOf(s)
		p.bindWrites(s)
	}
	p.bindSources()
	return p.stream.Sync()
}

// bindWrites finds the params and states whose versions a step changes.
func (p *Plan) bindWrites(s *Step) {
	for _, v := range s.Out {
		if v == graph.None {
			continue
		}
		if e := p.entryOf(v); e != nil {
			s.writes = append(s.writes, e)
		}
	}
}

// entryOf is the param or state in whose memory a value lies, or nil.
func (p *Plan) entryOf(v graph.Value) *entry {
	if key, ok := p.keys[p.values[v].root]; ok {
		return p.storage.entries[key]
	}
	return nil
}

// alloc is Device.Alloc that gives nil for nothing.
func (p *Plan) alloc(n int64) (engine.Buffer, error) {
	if n == 0 {
		return nil, nil
	}
	b, err := p.dev.Alloc(n)
	if err != nil {
		return nil, err
	}
	p.stream.Zero(b)
	return b, nil
}

func (p *Plan) argsOf(s *Step) engine.Args {
	var a engine.Args
	for _, v := range s.In {
		a.In = append(a.In, p.buffer(v))
	}
	for _, v := range s.Out {
		if v == graph.None {
			a.Out = append(a.Out, nil)
			continue
		}
		a.Out = append(a.Out, p.buffer(v))
	}
	if s.kernel != nil && s.kernel.Workspace() > 0 {
		a.Workspace = p.arena.Slice(s.scratch, s.kernel.Workspace())
	}
	return a
}

// buffer is the memory of a value.
func (p *Plan) buffer(v graph.Value) engine.Buffer {
	root := p.values[v].root
	if key, ok := p.keys[root]; ok {
		return p.storage.entries[key].buf
	}
	return p.arena.Slice(p.values[root].offset+p.values[v].at, p.bytes(p.desc(v)))
}

// runHost runs a step that the device lacks, on its memory where the host can
// reach that, else on copies.
func (p *Plan) runHost(s *Step) error {
	if err := p.Wait(); err != nil {
		return err
	}
	args := engine.Args{In: make([]engine.Buffer, len(s.In)), Out: make([]engine.Buffer, len(s.Out))}
	for i, b := range s.args.In {
		args.In[i] = p.onHost(b, true)
	}
	for i, b := range s.args.Out {
		if b != nil {
			args.Out[i] = p.onHost(b, false)
		}
	}
	if err := p.Wait(); err != nil {
		return err
	}
	if err := s.host.Run(&args); err != nil {
		return err
	}
	for i, b := range s.args.Out {
		if b != nil && b.Host() == nil {
			p.stream.CopyIn(b, bytesAt(args.Out[i]))
		}
	}
	return p.Wait()
}

// onHost is b itself or a copy in host memory.
func (p *Plan) onHost(b engine.Buffer, fill bool) engine.Buffer {
	if b.Host() != nil {
		return b
	}
	c := newHostCopy(b.Bytes())
	if fill {
		p.stream.CopyOut(c.data, b)
	}
	return c
}
