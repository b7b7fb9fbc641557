//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// buffer is memory of the GPU.
type buffer struct {
	dev   *device
	at    uint64
	bytes int64
	owner bool
}

// Alloc implements engine.Device. The memory is aligned to 256 bytes.
func (d *device) Alloc(bytes int64) (engine.Buffer, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("cuda: allocating %d bytes", bytes)
	}
	if bytes == 0 {
		return &buffer{dev: d}, nil
	}
	at, err := d.ctx.Alloc(bytes)
	if shim.IsOutOfMemory(err) {
		return nil, d.noMemory(bytes)
	}
	if err != nil {
		return nil, d.failed(err)
	}
	return &buffer{dev: d, at: at, bytes: bytes, owner: true}, nil
}

// noMemory says what was wanted and what there is.
func (d *device) noMemory(bytes int64) error {
	free, total, err := d.ctx.FreeMemory()
	if err != nil {
		return fmt.Errorf("cuda: allocating %d bytes on GPU %d (%s): %w", bytes, d.ctx.Ordinal, d.ctx.Name, engine.ErrMemory)
	}
	return fmt.Errorf("cuda: allocating %d bytes on GPU %d (%s): %w: %d of its %d bytes are free",
		bytes, d.ctx.Ordinal, d.ctx.Name, engine.ErrMemory, free, total)
}

// Bytes implements engine.Buffer.
func (b *buffer) Bytes() int64 { return b.bytes }

// Slice implements engine.Buffer.
func (b *buffer) Slice(offset, bytes int64) engine.Buffer {
	if offset < 0 || bytes < 0 || offset+bytes > b.bytes {
		panic(fmt.Sprintf("cuda: slice [%d, %d) of a buffer of %d bytes", offset, offset+bytes, b.bytes))
	}
	return &buffer{dev: b.dev, at: b.at + uint64(offset), bytes: bytes}
}

// Host implements engine.Buffer: the host cannot reach this memory.
func (b *buffer) Host() unsafe.Pointer { return nil }

// Close implements engine.Buffer.
func (b *buffer) Close() error {
	if !b.owner {
		return nil
	}
	at := b.at
	b.at, b.bytes, b.owner = 0, 0, false
	return b.dev.freed(b.dev.ctx.Free(at))
}

// isLost reports whether the GPU's context is broken.
func isLost(err error) bool {
	var e *shim.Error
	return errors.As(err, &e) && e.Lost()
}

// joinFailed joins errors of one GPU.
func joinFailed(d *device, errs ...error) error {
	return d.failed(errors.Join(errs...))
}
