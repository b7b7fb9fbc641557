package enginetest

import (
	"slices"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
)

// faultyDevice is ref with a layout of its own, the elements in reverse behind
// padding, and with a fault to be found.
type faultyDevice struct {
	fault    func(l *faultyLaunch) // done after each launch but a reorder's
	launches int
}

const (
	reversed = engine.Layout(7)
	padding  = 32 // bytes
)

// faultyLaunch is what a fault may spoil.
type faultyLaunch struct {
	in, out  []float32 // the first of each
	reversed bool      // the output's layout
	launches *int
}

// around overwrites a byte at an offset from the output's start.
func (l *faultyLaunch) around(offset int) {
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(l.out)), offset)) ^= 0xff
}

func (d *faultyDevice) device() engine.Device {
	dev, err := ref.Open(engine.Config{})
	if err != nil {
		panic(err)
	}
	return dev
}

func (d *faultyDevice) Info() engine.Info { return engine.Info{Engine: "faulty"} }

func (d *faultyDevice) Alloc(bytes int64) (engine.Buffer, error) { return d.device().Alloc(bytes) }

func (d *faultyDevice) NewStream() (engine.Stream, error) { return d.device().NewStream() }

func (d *faultyDevice) Close() error { return nil }

func (d *faultyDevice) LayoutName(engine.Layout) string { return "reversed" }

func (d *faultyDevice) Bytes(t engine.Desc) int64 {
	if t.Layout == reversed {
		return t.Bytes() + padding
	}
	return t.Bytes()
}

// Prefer asks for the device's layout wherever there are float32 elements.
func (d *faultyDevice) Prefer(_ engine.Op, in, out []engine.Desc) (pin, pout []engine.Desc) {
	prefer := func(list []engine.Desc) []engine.Desc {
		list = slices.Clone(list)
		for i := range list {
			if list[i].DType == engine.F32 {
				list[i].Layout = reversed
			}
		}
		return list
	}
	return prefer(in), prefer(out)
}

// Prepare lets ref compute on plain copies.
func (d *faultyDevice) Prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	k := &faultyKernel{dev: d, in: in, out: out}
	_, k.reorder = op.(engine.Reorder)
	var err error
	k.plain, err = ref.Prepare(op, plainDescs(in), plainDescs(out))
	return k, err
}

func plainDescs(list []engine.Desc) []engine.Desc {
	list = slices.Clone(list)
	for i := range list {
		list[i].Layout = engine.Plain
	}
	return list
}

type faultyKernel struct {
	dev     *faultyDevice
	in, out []engine.Desc
	plain   engine.Kernel
	reorder bool
}

func (k *faultyKernel) Workspace() int64 { return 8 }

func (k *faultyKernel) Close() error { return nil }

// Run implements ref.Runner, so that ref's stream launches it.
func (k *faultyKernel) Run(args *engine.Args) error {
	*(*float64)(args.Workspace.Host()) = 1
	in, err := k.copies(k.in, args.In, args.In)
	if err != nil {
		return err
	}
	out, err := k.copies(k.out, args.Out, nil)
	if err != nil {
		return err
	}
	for o, b := range args.Out { // in place stays in place
		if i := slices.Index(args.In, b); b != nil && i >= 0 {
			out[o] = in[i]
		}
	}
	if err := k.plain.(ref.Runner).Run(&engine.Args{In: in, Out: out}); err != nil {
		return err
	}
	for i, b := range args.In { // Update may write g
		k.move(k.in[i], b, in[i], true)
	}
	for i, b := range args.Out {
		if b != nil {
			k.move(k.out[i], b, out[i], true)
		}
	}
	if k.dev.launches++; k.dev.fault != nil && !k.reorder {
		k.dev.fault(&faultyLaunch{in: floats(args.In[0]), out: floats(args.Out[0]), reversed: k.out[0].Layout == reversed, launches: &k.dev.launches})
	}
	return nil
}

// copies makes plain buffers of the tensors, filled from the given ones.
func (k *faultyKernel) copies(descs []engine.Desc, like, from []engine.Buffer) ([]engine.Buffer, error) {
	list := make([]engine.Buffer, len(descs))
	for i, d := range descs {
		if like[i] == nil {
			continue
		}
		b, err := k.dev.Alloc(d.Bytes())
		if err != nil {
			return nil, err
		}
		if list[i] = b; from != nil {
			k.move(d, from[i], b, false)
		}
	}
	return list, nil
}

// move copies between a tensor in its layout and its plain copy.
func (k *faultyKernel) move(d engine.Desc, own, plain engine.Buffer, back bool) {
	if d.DType == engine.U8 { // always plain
		if back {
			own, plain = plain, own
		}
		copy(octets(plain), octets(own))
		return
	}
	a, b := floats(own), floats(plain)
	for i := range b {
		at := i
		if d.Layout == reversed {
			at = len(a) - 1 - i
		}
		if back {
			a[at] = b[i]
		} else {
			b[i] = a[at]
		}
	}
}

func floats(b engine.Buffer) []float32 {
	return unsafe.Slice((*float32)(b.Host()), b.Bytes()/4)
}

func octets(b engine.Buffer) []byte { return unsafe.Slice((*byte)(b.Host()), b.Bytes()) }
