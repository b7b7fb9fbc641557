//go:build !cgo || !linux

// Package dnnl is the C side of engine/cpu; this build has none.
package dnnl

import (
	"errors"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

var errNoC = errors.New("this binary was built without cgo (CGO_ENABLED=1, gcc and Linux are needed)")

// MaxRank is the largest number of axes that a tensor may have.
const MaxRank = 12

// Load says why there is no oneDNN.
func Load() error { return errNoC }

// Libraries lists nothing.
func Libraries() []engine.Library { return nil }

// HasBF16 is false.
func HasBF16() bool { return false }

// Alloc has no memory.
func Alloc(int64) unsafe.Pointer { return nil }

// IsZero is false: there is nothing that could be.
func IsZero(int64) bool { return false }

// Free does nothing.
func Free(unsafe.Pointer, int64) {}

// Zero does nothing.
func Zero(unsafe.Pointer, int64, int) {}

// Kernel is never made.
type Kernel struct{}

// Prepare fails.
func Prepare(engine.Op, []engine.Desc, []engine.Desc, int) (*Kernel, error) { return nil, errNoC }

// Workspace is 0.
func (*Kernel) Workspace() int64 { return 0 }

// Implementation is nothing.
func (*Kernel) Implementation() string { return "" }

// Block is nothing.
func (*Kernel) Block() []unsafe.Pointer { return nil }

// Run fails.
func (*Kernel) Run() error { return errNoC }

// Close does nothing.
func (*Kernel) Close() error { return nil }

// Bytes is the dense size.
func Bytes(d engine.Desc) int64 { return d.Bytes() }

// LayoutName is "plain".
func LayoutName(engine.Layout) string { return "plain" }

// ChannelBlock is 1.
func ChannelBlock(engine.Desc) int { return 1 }

// PreferConv has no layouts to offer.
func PreferConv(engine.Op, []engine.Desc, []engine.Desc, int) (pin, pout []engine.Layout, ok bool) {
	return nil, nil, false
}
