//go:build cgo && linux

package dnnl

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// call is one gc_prepare_… in the making: the op's tensors in C's memory.
type call struct {
	io  C.gc_io
	err C.gc_error
}

func newCall(in, out []engine.Desc, threads int) *call {
	n := len(in) + len(out)
	mem := (*C.gc_desc)(C.calloc(C.size_t(n), C.sizeof_gc_desc))
	all := unsafe.Slice(mem, n)
	for i, d := range in {
		all[i] = cdesc(d)
	}
	for i, d := range out {
		all[len(in)+i] = cdesc(d)
	}
	c := &call{}
	c.io.threads, c.io.n_in, c.io.n_out = C.int32_t(threads), C.int32_t(len(in)), C.int32_t(len(out))
	c.io.in = mem
	c.io.out = (*C.gc_desc)(unsafe.Add(unsafe.Pointer(mem), len(in)*C.sizeof_gc_desc))
	return c
}

func (c *call) free() { C.free(unsafe.Pointer(c.io.in)) }

// desc is what C has left in the descriptor of tensor i, outputs after inputs.
func (c *call) desc(i int) C.gc_desc {
	return unsafe.Slice(c.io.in, int(c.io.n_in+c.io.n_out))[i]
}

// prepares is the table of ops, by the op's type.
var prepares = map[reflect.Type]func(op engine.Op, c *call) *C.gc_kernel{}

// register enters an op's preparation in the table.
func register[O engine.Op](f func(op O, c *call) *C.gc_kernel) {
	prepares[reflect.TypeFor[O]()] = func(op engine.Op, c *call) *C.gc_kernel { return f(op.(O), c) }
}

// Kernel is a prepared op.
type Kernel struct {
	c     *C.gc_kernel
	op    engine.Op
	block []unsafe.Pointer // in C's memory: inputs, outputs, workspace
	in    int
}

// Prepare specialises an op to its tensors. The shapes of outputs that nobody reads
// are given all the same, with DType None.
func Prepare(op engine.Op, in, out []engine.Desc, threads int) (*Kernel, error) {
	f, ok := prepares[reflect.TypeOf(op)]
	if !ok {
		return nil, unsupported(op, "it has no kernel for this op")
	}
	c := newCall(in, out, threads)
	defer c.free()
	k := f(op, c)
	if k == nil {
		return nil, c.failure(op, in, out)
	}
	n := len(in) + len(out) + 1
	block := (*unsafe.Pointer)(C.calloc(C.size_t(n), C.sizeof_uintptr_t))
	return &Kernel{c: k, op: op, block: unsafe.Slice(block, n), in: len(in)}, nil
}

func unsupported(op engine.Op, why string) error {
	return &engine.UnsupportedError{Engine: "cpu", Op: op, Why: why}
}

// failure words the error of a gc_prepare_….
func (c *call) failure(op engine.Op, in, out []engine.Desc) error {
	text := C.GoString(&c.err.text[0])
	if c.err.code == C.GC_UNSUPPORTED {
		return unsupported(op, fmt.Sprintf("%s (%s)", text, Signature(in, out)))
	}
	return fmt.Errorf("cpu: preparing %T (%s): %s", op, Signature(in, out), text)
}

// Signature names the tensors of an op for an error: "64 3 28 28 → 64 20 24 24".
func Signature(in, out []engine.Desc) string {
	text := ""
	for i, d := range in {
		if i > 0 {
			text += ", "
		}
		text += describe(d)
	}
	text += " →"
	for _, d := range out {
		text += " " + describe(d)
	}
	return text
}

func describe(d engine.Desc) string {
	text := d.Shape.String()
	if d.DType == engine.BF16 {
		text += " bf16"
	}
	if d.Layout != engine.Plain {
		text += " " + LayoutName(d.Layout)
	}
	return text
}

// Workspace is the scratch memory that Run needs.
func (k *Kernel) Workspace() int64 { return int64(C.gc_workspace(k.c)) }

// Implementation is oneDNN's name for what it chose, "own" for our loops.
func (k *Kernel) Implementation() string { return C.GoString(C.gc_implementation(k.c)) }

// Block is the argument block of the next Run: the addresses of inputs, outputs and
// workspace, in this order. The caller fills it in place, so that a launch allocates
// nothing and crosses into C once.
func (k *Kernel) Block() []unsafe.Pointer { return k.block }

// Run computes.
func (k *Kernel) Run() error {
	if C.gc_run(k.c, unsafe.SliceData(k.block)) == C.GC_OK {
		return nil
	}
	e := C.gc_kernel_error(k.c)
	if e.code == C.GC_LABEL {
		return &engine.LabelError{Label: float32(e.label), Item: int(e.item), Classes: int(e.classes)}
	}
	return fmt.Errorf("cpu: %T: %s", k.op, C.GoString(&e.text[0]))
}

// Close frees the kernel.
func (k *Kernel) Close() error {
	if k.c != nil {
		C.gc_kernel_free(k.c)
		C.free(unsafe.Pointer(unsafe.SliceData(k.block)))
		k.c, k.block = nil, nil
	}
	return nil
}
