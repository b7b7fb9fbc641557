// Package engine is the boundary between what a net computes and where it is
// computed. It holds types only: no cgo, no net, no layers, no prototxt.
//
// An op is a value (see Op): a comparable struct of attributes that can infer
// its outputs. A Device prepares an op for given descriptors and gets a Kernel,
// which a Stream launches on Buffers. What ops exist is listed by the files of
// this folder, one subject each; every engine keeps the same file names.
package engine

import "unsafe"

// Op is one primitive of about oneDNN's or cuDNN's size. It is a comparable
// struct (lists are Ints or Floats), so it prints, it is a map key, and a new op
// adds files without changing any interface.
type Op interface {
	// Infer gives the descriptors of the outputs for those of the inputs, or
	// says why there are none. Outputs are dense (Layout Plain).
	Infer(in []Desc) ([]Desc, error)
}

// InPlacer is an op whose output 0 may be written over one of its inputs. Every
// engine's kernel for such an op works when both are the same memory.
type InPlacer interface {
	// InPlace is the index of the input, or -1.
	InPlace() int
}

// Info describes a device for the log and device_query.
type Info struct {
	Engine    string    // "ref", "cpu", "cuda", "null"
	Name      string    // the hardware's name
	Threads   int       // worker threads, 0 where it means nothing
	Precision string    // what it was opened for, "" is PrecisionFP32
	Libraries []Library // what the engine found at run time
}

// Library is one library that an engine looks for at run time.
type Library struct {
	Name, Path, Version string // Path and Version are empty where it is missing
	Missing             string // why it cannot be used and what to do, where the engine knows
}

// Device is one place that holds memory and runs ops.
type Device interface {
	Info() Info
	Alloc(bytes int64) (Buffer, error)
	NewStream() (Stream, error)

	// Prepare specialises op to its descriptors. It is the only capability
	// test: errors.Is(err, ErrUnsupported) means "ask for something plainer".
	// An output that nobody reads has a zero Desc (DType None); the kernel then
	// gets no buffer for it.
	Prepare(op Op, in, out []Desc) (Kernel, error)

	Close() error
}

// Buffer is memory of one device. Slices of it share the memory.
type Buffer interface {
	Bytes() int64
	// Slice is the part [offset, offset+bytes) of the buffer; offsets that the
	// plan gives are multiples of Align.
	Slice(offset, bytes int64) Buffer
	// Host is the address where the host can read and write the memory
	// directly, or nil for device memory.
	Host() unsafe.Pointer
	Close() error
}

// Align is the alignment of every buffer and of every offset in an arena.
const Align = 64

// Kernel is a prepared op. It owns no tensors, so it may be launched on several
// sets of buffers, by one stream at a time.
type Kernel interface {
	Workspace() int64 // scratch bytes that Launch needs
	Close() error
}

// Args are the buffers of one launch. In and Out are ordered as in the op's
// documentation; an entry of Out is nil where Prepare got a zero Desc.
type Args struct {
	In, Out   []Buffer
	Workspace Buffer // nil where Workspace() is 0
}

// Stream is an in-order queue. Calls may return before the work is done; the
// first failure sticks, later calls do nothing, and Sync reports and clears it.
type Stream interface {
	Launch(k Kernel, args *Args)
	// CopyIn is done with src when it returns.
	CopyIn(dst Buffer, src []byte)
	// CopyOut has written dst after Sync.
	CopyOut(dst []byte, src Buffer)
	// Zero sets all bytes of the buffer to 0.
	Zero(dst Buffer)
	Sync() error
	Close() error
}

// Layouter is a Device whose ops run faster on layouts of its own. net/plan
// asserts it and nobody else.
type Layouter interface {
	// Prefer gives the layouts that op would like for the descriptors that it
	// would get now. A returned input that differs from in[i] asks for a
	// reorder before the op. Outputs are always the device's choice.
	Prefer(op Op, in, out []Desc) (pin, pout []Desc)
	// Bytes is the memory that a tensor takes in its layout, padding included.
	Bytes(d Desc) int64
	// LayoutName names a layout in explain's output, as in "nChw16c".
	LayoutName(l Layout) string
}

// Divider is a Layouter that knows where the parts of its tensors lie, so that parts can
// be written in place instead of copied. net/plan asserts it and nobody else.
type Divider interface {
	// Contiguous reports whether tensors in whole's layout, which is not Plain, that are
	// parts of whole along an axis lie one behind the other in its memory. Where Concat and
	// Slice work on the layout, their parts are such.
	Contiguous(whole Desc, axis int) bool
}

// Overwriter is an op that changes tensors which outlive a run. The plan gives
// output i the memory of input Overwrites()[i] where that is a param or a state
// that the output is assigned to; every engine's kernel works that way.
type Overwriter interface {
	Overwrites() []int
}

// Replayer is a Stream that can record what is launched and run it again in one go.
// net/plan asserts it and nobody else.
type Replayer interface {
	// Record calls f, which does nothing but launch, and keeps the launches instead of
	// running them. The buffers and kernels of f must live as long as what it returns.
	Record(f func()) (Replay, error)
	// Replay queues what was recorded.
	Replay(r Replay)
}

// Asynchronous is a Stream that works while the host goes on: a plan on it does not wait
// for a run before the host prepares the next. net/plan asserts it and nobody else.
type Asynchronous interface{ Asynchronous() }

// Replay is recorded work of one stream.
type Replay interface{ Close() error }
