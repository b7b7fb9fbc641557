//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
)

// A layout token is oneDNN's format tag, and above it the number of groups for the
// weights of a grouped convolution, whose axis 0 the tag sees split.
const tagBits = 12

// MaxRank is the largest number of axes that a tensor may have here.
const MaxRank = C.GC_MAX_RANK

// cdesc is C's descriptor; an unread output (DType None) keeps its shape.
func cdesc(d engine.Desc) C.gc_desc {
	var c C.gc_desc
	c.dtype = C.int32_t(d.DType)
	c.tag = C.int32_t(d.Layout & (1<<tagBits - 1))
	c.groups = C.int32_t(d.Layout >> tagBits)
	c.rank = C.int32_t(len(d.Shape))
	for i, n := range d.Shape {
		c.dim[i] = C.int64_t(n)
	}
	return c
}

func token(c C.gc_desc) engine.Layout { return engine.Layout(c.tag | c.groups<<tagBits) }

// Bytes is the memory that a tensor takes, negative for a layout that does not fit
// its shape.
func Bytes(d engine.Desc) int64 {
	c := cdesc(d)
	return int64(C.gc_bytes(&c))
}

// LayoutName is oneDNN's name of the layout.
func LayoutName(l engine.Layout) string {
	name := C.GoString(C.gc_tag_name(C.int(l & (1<<tagBits - 1))))
	if g := l >> tagBits; g > 1 {
		return fmt.Sprintf("%s/%d", name, g)
	}
	return name
}

// ChannelBlock is the block of channels (axis 1) of a layout of activations: 1 for
// plain and channels-last, 0 for a layout of weights.
func ChannelBlock(d engine.Desc) int {
	c := cdesc(d)
	return int(C.gc_channel_block(&c))
}
