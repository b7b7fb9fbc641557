package ref

import (
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// buffer is Go memory whose start is aligned to engine.Align.
type buffer struct{ mem []byte }

func alloc(bytes int64) (engine.Buffer, error) {
	const limit = 1 << 46 // more than any machine has, less than what make panics at
	if bytes < 0 || bytes > limit {
		return nil, fmt.Errorf("ref: allocating %d bytes: %w", bytes, engine.ErrMemory)
	}
	mem := make([]byte, bytes+engine.Align)
	past := int64(uintptr(unsafe.Pointer(unsafe.SliceData(mem))) % engine.Align)
	skip := (engine.Align - past) % engine.Align
	return &buffer{mem: mem[skip : skip+bytes : skip+bytes]}, nil
}

func (b *buffer) Bytes() int64 { return int64(len(b.mem)) }

func (b *buffer) Slice(offset, bytes int64) engine.Buffer {
	return &buffer{mem: b.mem[offset : offset+bytes : offset+bytes]}
}

func (b *buffer) Host() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b.mem)) }

func (b *buffer) Close() error { return nil }
