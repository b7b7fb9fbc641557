package cpu

import (
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu/internal/dnnl"
)

// buffer is memory of C, so that kernels may keep its address.
type buffer struct {
	at    unsafe.Pointer
	bytes int64
	owner bool
	// zero: nobody can have written to it since it was allocated, cleared.
	zero bool
}

// Alloc implements engine.Device.
func (d *device) Alloc(bytes int64) (engine.Buffer, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("cpu: allocating %d bytes", bytes)
	}
	p := dnnl.Alloc(bytes)
	if p == nil {
		return nil, fmt.Errorf("cpu: allocating %d bytes: %w", bytes, engine.ErrMemory)
	}
	return &buffer{at: p, bytes: bytes, owner: true, zero: dnnl.IsZero(bytes)}, nil
}

func (b *buffer) Bytes() int64 { return b.bytes }

func (b *buffer) Host() unsafe.Pointer {
	b.zero = false
	return b.at
}

func (b *buffer) Slice(offset, bytes int64) engine.Buffer {
	// The slice expression checks the bounds.
	b.zero = false
	part := b.mem()[offset : offset+bytes : offset+bytes]
	return &buffer{at: unsafe.Pointer(unsafe.SliceData(part)), bytes: bytes}
}

func (b *buffer) mem() []byte { return unsafe.Slice((*byte)(b.at), b.bytes) }

func (b *buffer) Close() error {
	if b.owner {
		dnnl.Free(b.at, b.bytes)
		b.at, b.bytes, b.owner = nil, 0, false
	}
	return nil
}
