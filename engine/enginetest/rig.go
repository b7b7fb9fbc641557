package enginetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// guard is how many bytes before and after each buffer must not change.
const guard = 16 * engine.Align

const (
	guardByte    = 0xa5
	unwritten    = 0xff // outputs before the run: NaN as float32
	guardChanged = "wrote %s a buffer, at byte %d"
)

// rig runs ops on one device.
type rig struct {
	dev       engine.Device
	stream    engine.Stream
	layouter  engine.Layouter // nil if the device has no layouts of its own
	placed    []*placed       // buffers of the run in progress
	precision string          // what it was opened for

	// what a convolution prefers, for 4 axes: activations and weights
	activations, weights engine.Layout
}

func newRig(t testing.TB, open Open, precision string) *rig {
	t.Helper()
	dev, err := open(engine.Config{Precision: precision})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := dev.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{dev: dev, stream: stream, precision: precision}
	if r.layouter, _ = dev.(engine.Layouter); r.layouter != nil {
		r.askConvolution()
	}
	t.Cleanup(func() {
		if err := errors.Join(stream.Close(), dev.Close()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// askConvolution finds the layouts that tensors have in the midst of a net.
func (r *rig) askConvolution() {
	z, _ := newGeometry(2, 32, 32, 1, []int{14, 14}, []int{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1})
	in := []engine.Desc{engine.Dense(z.x...), engine.Dense(z.w...)}
	pin, pout := r.layouter.Prefer(z.op, in, []engine.Desc{engine.Dense(z.y...)})
	r.weights, r.activations = pin[1].Layout, pout[0].Layout
}

// given is the descriptor that input i has when its op is reached: data comes
// in the layout of activations, a solver's tensors in that of weights.
func (r *rig) given(op engine.Op, i int, d engine.Desc, m mode) engine.Desc {
	if !m.blocked || len(d.Shape) != 4 || d.Layout != engine.Plain || d.DType == engine.I32 || d.DType == engine.U8 {
		return d
	}
	d.Layout = r.activations
	switch op.(type) {
	case engine.Update, engine.UpdateAll:
		d.Layout = r.weights
	case engine.Conv, engine.ConvGradData:
		if i == 1 { // plain weights, as they are loaded
			d.Layout = engine.Plain
		}
	}
	return d
}

// placed is a tensor in device memory with guards around it.
type placed struct {
	desc   engine.Desc
	whole  engine.Buffer
	buf    engine.Buffer
	before []byte // the tensor's bytes as they were written last
}

// bytes is the memory that a tensor takes on the device.
func (r *rig) bytes(d engine.Desc) int64 {
	if r.layouter != nil {
		return r.layouter.Bytes(d)
	}
	return d.Bytes()
}

// place allocates a tensor and fills it with data, or with NaN if nil.
func (r *rig) place(d engine.Desc, data []byte) (*placed, error) {
	return r.placeBytes(d, r.bytes(d), data)
}

func (r *rig) placeBytes(d engine.Desc, n int64, data []byte) (*placed, error) {
	room := (n + engine.Align - 1) / engine.Align * engine.Align
	whole, err := r.dev.Alloc(room + 2*guard)
	if err != nil {
		return nil, err
	}
	p := &placed{desc: d, whole: whole, buf: whole.Slice(guard, n), before: bytes.Repeat([]byte{unwritten}, int(n))}
	r.placed = append(r.placed, p)
	copy(p.before, data)
	content := bytes.Repeat([]byte{guardByte}, int(room+2*guard))
	copy(content[guard:], p.before)
	r.stream.CopyIn(whole, content)
	return p, r.stream.Sync()
}

// read copies the tensor out, after checking its guards.
func (r *rig) read(p *placed) ([]byte, error) {
	content := make([]byte, p.whole.Bytes())
	r.stream.CopyOut(content, p.whole)
	if err := r.stream.Sync(); err != nil {
		return nil, err
	}
	end := guard + len(p.before)
	for i, b := range content {
		if b == guardByte || (i >= guard && i < end) {
			continue
		}
		if i < guard {
			return nil, fmt.Errorf(guardChanged, "before", i-guard)
		}
		return nil, fmt.Errorf(guardChanged, "behind", i-end)
	}
	return content[guard:end], nil
}

// release frees the buffers of a run.
func (r *rig) release() error {
	var err error
	for _, p := range r.placed {
		err = errors.Join(err, p.buf.Close(), p.whole.Close())
	}
	r.placed = nil
	return err
}

// reorder brings a tensor into another layout.
func (r *rig) reorder(p *placed, to engine.Desc) (*placed, error) {
	if p.desc.Equal(to) {
		return p, nil
	}
	q, err := r.place(to, nil)
	if err != nil {
		return nil, err
	}
	k, err := r.dev.Prepare(engine.Reorder{}, []engine.Desc{p.desc}, []engine.Desc{to})
	if err != nil {
		return nil, fmt.Errorf("reordering %v to %v: %w", p.desc, to, err)
	}
	if err := r.launch(k, []*placed{p}, []*placed{q}); err != nil {
		return nil, err
	}
	q.before, err = r.read(q)
	return q, errors.Join(err, k.Close())
}

// launch runs a kernel and waits for it. An output may be nil.
func (r *rig) launch(k engine.Kernel, in, out []*placed) error {
	args := &engine.Args{}
	for _, p := range in {
		args.In = append(args.In, p.buf)
	}
	for _, p := range out {
		if p == nil {
			args.Out = append(args.Out, nil)
			continue
		}
		args.Out = append(args.Out, p.buf)
	}
	var scratch *placed
	if n := k.Workspace(); n > 0 {
		var err error
		if scratch, err = r.placeBytes(engine.Desc{}, n, nil); err != nil {
			return err
		}
		args.Workspace = scratch.buf
	}
	r.stream.Launch(k, args)
	if err := r.stream.Sync(); err != nil {
		return err
	}
	if scratch != nil {
		if _, err := r.read(scratch); err != nil {
			return fmt.Errorf("workspace: %w", err)
		}
	}
	return nil
}

// upload places the inputs of a case. In the engine's own layouts it also asks
// for the outputs' descriptors.
func (r *rig) upload(op engine.Op, in []Tensor, from map[int]Source, m mode) ([]*placed, []engine.Desc, error) {
	var tensors []*placed
	mayIn, mayOut := engine.Narrow(op)
	for i, t := range in {
		p, err := r.input(t, from, i, m)
		if err == nil {
			p, err = r.reorder(p, narrowed(r.given(op, i, p.desc, m), m.narrow && mayIn.Has(i)))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("input %d: %w", i, err)
		}
		tensors = append(tensors, p)
	}
	out, err := op.Infer(placedDescs(tensors))
	if err != nil {
		return nil, nil, err
	}
	for i := range out {
		out[i] = narrowed(out[i], m.narrow && !m.wide && mayOut.Has(i))
	}
	if m.unread >= 0 {
		out[m.unread] = engine.Desc{}
	}
	if !m.layouts {
		return tensors, out, nil
	}
	pin, pout := r.layouter.Prefer(op, placedDescs(tensors), slices.Clone(out))
	if err := checkPreferred(placedDescs(tensors), pin, out, pout); err != nil {
		return nil, nil, err
	}
	for i, d := range pin {
		if tensors[i], err = r.reorder(tensors[i], d); err != nil {
			return nil, nil, err
		}
	}
	return tensors, pout, nil
}

// input places one input, or has the engine make it.
func (r *rig) input(t Tensor, from map[int]Source, i int, m mode) (*placed, error) {
	src, ok := from[i]
	if !ok {
		return r.place(t.desc(), t.content())
	}
	in, out, err := r.upload(src.Op, src.In, nil, mode{layouts: m.layouts, blocked: m.blocked, narrow: m.narrow, unread: -1})
	if err != nil {
		return nil, err
	}
	results, k, err := r.apply(src.Op, in, out, nil)
	if err != nil {
		return nil, err
	}
	p := results[src.Out]
	p.before, err = r.read(p)
	return p, errors.Join(err, k.Close())
}

// apply prepares an op and launches it once. Outputs with an entry in over use
// that tensor's memory.
func (r *rig) apply(op engine.Op, in []*placed, out []engine.Desc, over map[int]*placed) ([]*placed, engine.Kernel, error) {
	k, err := r.dev.Prepare(op, placedDescs(in), out)
	if err != nil {
		return nil, nil, err
	}
	results := make([]*placed, len(out))
	for i, d := range out {
		if results[i] = over[i]; results[i] != nil || d.DType == engine.None {
			continue
		}
		if results[i], err = r.place(d, nil); err != nil {
			return nil, nil, err
		}
	}
	return results, k, r.launch(k, in, results)
}

// checkPreferred verifies that Prefer changed layouts and nothing else.
func checkPreferred(in, pin, out, pout []engine.Desc) error {
	if len(pin) != len(in) || len(pout) != len(out) {
		return fmt.Errorf("method Prefer gave %d inputs and %d outputs, want %d and %d", len(pin), len(pout), len(in), len(out))
	}
	for i, d := range append(slices.Clone(in), out...) {
		p := append(slices.Clone(pin), pout...)[i]
		if !p.Shape.Equal(d.Shape) || p.DType != d.DType {
			return fmt.Errorf("method Prefer changed %v to %v", d, p)
		}
	}
	return nil
}

func placedDescs(p []*placed) []engine.Desc {
	d := make([]engine.Desc, len(p))
	for i := range p {
		d[i] = p[i].desc
	}
	return d
}

// bytesOf is the memory of the values.
func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// floatsOf are the values in the memory.
func floatsOf(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	copy(bytesOf(v), b)
	return v
}
