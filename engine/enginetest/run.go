package enginetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// run runs a case twice, on two sets of buffers: a kernel owns no tensors, and
// the same input gives the same bits.
func (r *rig) run(c *Case, m mode) (result, error) {
	first, err := r.once(c, m)
	if err != nil {
		return result{}, err
	}
	second, err := r.once(c, m)
	if err != nil {
		return result{}, fmt.Errorf("second run: %w", err)
	}
	for i := range first.out {
		if slices.Contains(c.Opaque, i) {
			continue
		}
		if !bytes.Equal(bytesOf(first.out[i]), bytesOf(second.out[i])) {
			return result{}, fmt.Errorf("output %d differs between two runs", i)
		}
	}
	return first, nil
}

// once runs a case and checks what it must not have changed.
func (r *rig) once(c *Case, m mode) (res result, err error) {
	defer func() { err = errors.Join(err, r.release()) }()
	in, out, err := r.upload(c.Op, c.In, c.From, m)
	if err != nil {
		return result{}, err
	}
	over, err := c.over(in, out, m)
	if err != nil {
		return result{}, err
	}
	results, k, err := r.apply(c.Op, in, out, over)
	if err != nil {
		return result{}, err
	}
	if err := r.unchanged(c, in, over); err != nil {
		return result{}, err
	}
	for i, p := range results {
		v, err := r.download(p)
		if err != nil {
			return result{}, fmt.Errorf("output %d: %w", i, err)
		}
		res.out = append(res.out, v)
	}
	for _, i := range c.Writes {
		v, err := r.download(in[i])
		if err != nil {
			return result{}, fmt.Errorf("input %d: %w", i, err)
		}
		res.written = append(res.written, v)
	}
	return res, k.Close()
}

// over says which outputs share the memory of which inputs.
func (c *Case) over(in []*placed, out []engine.Desc, m mode) (map[int]*placed, error) {
	over := map[int]*placed{}
	for o, i := range c.Alias {
		over[o] = in[i]
	}
	if m.inPlace {
		over[0] = in[inPlace(c.Op)]
	}
	for o, p := range over {
		if !p.desc.Equal(out[o]) { // layouts may differ; then nobody would run it so
			return nil, &engine.UnsupportedError{Engine: "enginetest", Op: c.Op, Why: fmt.Sprintf("output %d in another layout than its input", o)}
		}
	}
	return over, nil
}

// unchanged checks that the inputs kept their bytes, but for those that the op
// writes.
func (r *rig) unchanged(c *Case, in []*placed, over map[int]*placed) error {
	for i, p := range in {
		now, err := r.read(p)
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if slices.Contains(c.Writes, i) || isOver(over, p) {
			continue
		}
		if !bytes.Equal(now, p.before) {
			return fmt.Errorf("input %d was changed", i)
		}
	}
	return nil
}

func isOver(over map[int]*placed, p *placed) bool {
	for _, q := range over {
		if p == q {
			return true
		}
	}
	return false
}

// download reads a tensor in the plain layout; nil for an unread output.
func (r *rig) download(p *placed) ([]float32, error) {
	if p == nil {
		return nil, nil
	}
	content, err := r.read(p)
	if err != nil {
		return nil, err
	}
	plainDesc := engine.Desc{DType: p.desc.DType, Shape: p.desc.Shape}
	if plainDesc.DType == engine.BF16 {
		plainDesc.DType = engine.F32
	}
	if p.desc.Equal(plainDesc) {
		return floatsOf(content), nil
	}
	plain, err := r.reorder(p, plainDesc)
	if err != nil {
		return nil, err
	}
	if content, err = r.read(plain); err != nil {
		return nil, err
	}
	return floatsOf(content), nil
}

// RunPlumbing is the suite for an engine that computes nothing: every case must
// be prepared and launched without an error; no result is looked at.
func RunPlumbing(t *testing.T, open Open) {
	t.Helper()
	r := newRig(t, open, engine.PrecisionFP32)
	for _, gen := range generators {
		t.Run(gen.op.Name(), func(t *testing.T) {
			for _, c := range gen.cases(newSource(gen.op.Name())) {
				if err := r.plumb(&c); err != nil {
					t.Errorf("%s: %v", c.name(), err)
				}
			}
		})
	}
}

// plumb launches a case with a buffer for each tensor.
func (r *rig) plumb(c *Case) error {
	in := c.descs()
	for i, src := range c.From {
		out, err := src.Op.Infer(descsOf(src.In))
		if err != nil {
			return err
		}
		in[i] = out[src.Out]
	}
	out, err := c.Op.Infer(in)
	if err != nil {
		return err
	}
	k, err := r.dev.Prepare(c.Op, in, out)
	if err != nil {
		return err
	}
	args := &engine.Args{}
	for _, d := range append(slices.Clone(in), out...) {
		b, err := r.dev.Alloc(d.Bytes())
		if err != nil {
			return err
		}
		args.In = append(args.In, b)
	}
	args.In, args.Out = args.In[:len(in):len(in)], args.In[len(in):]
	r.stream.Launch(k, args)
	err = r.stream.Sync()
	for _, b := range append(args.In, args.Out...) {
		err = errors.Join(err, b.Close())
	}
	return errors.Join(err, k.Close())
}
