package plan

import (
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// hostCopy is host memory that stands in for a device's buffer.
type hostCopy struct{ data []byte }

// newHostCopy allocates through float64s, which are aligned well enough for any
// element type that plain Go code reads.
func newHostCopy(n int64) *hostCopy {
	words := make([]float64, (n+7)/8+1)
	return &hostCopy{data: unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)}
}

func (h *hostCopy) Bytes() int64 { return int64(len(h.data)) }

func (h *hostCopy) Slice(offset, bytes int64) engine.Buffer {
	return &hostCopy{data: h.data[offset : offset+bytes]}
}

func (h *hostCopy) Host() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(h.data)) }

func (h *hostCopy) Close() error { return nil }

// bytesAt is the memory of a host buffer.
func bytesAt(b engine.Buffer) []byte { return unsafe.Slice((*byte)(b.Host()), b.Bytes()) }

// bytesOf is the memory of a slice of float32.
func bytesOf(f []float32) []byte {
	if len(f) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&f[0])), 4*len(f))
}
