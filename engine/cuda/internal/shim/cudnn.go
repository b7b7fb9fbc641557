//go:build cgo && linux

package shim

/*
#include <stdlib.h>
#include "dl.h"
#include "gc_cudnn.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// ErrNotSupported is in the chain of a library's refusal of a combination of
// descriptors: there is no such kernel, and another one may be asked for.
var ErrNotSupported = errors.New("not supported by the library")

// ErrTooOld is in the chain of the error for a library that is too old.
var ErrTooOld = errors.New("the library is too old")

// Values of cuDNN's enumerations, equal in versions 8.9 and 9.
const (
	CudnnFloat    = 0
	CudnnBFloat16 = 9

	CudnnDefaultMath           = 0
	CudnnTensorOpMath          = 1
	CudnnAllowConversionMath   = 2
	CudnnFMAMath               = 3
	cudnnNCHW                  = 0
	cudnnCrossCorrelation      = 1
	cudnnStatusNotSupported8   = 9
	cudnnStatusArchMismatch8   = 6
	cudnnStatusNotSupportedLow = 3000
	cudnnStatusNotSupportedTop = 3999
)

// Cudnn is an open cuDNN; its handles belong to the context that was current when
// they were made.
type Cudnn struct{ lib *library }

// OpenCudnn finds and opens cuDNN, once a process.
func OpenCudnn() (*Cudnn, error) { return openCudnn() }

var openCudnn = sync.OnceValues(func() (*Cudnn, error) {
	d, err := OpenDriver()
	if err != nil {
		return nil, err
	}
	pip := fmt.Sprintf("install it (pip install nvidia-cudnn-cu%d) or name its folder in GOCAFFE_CUDA_LIBS", newestMajor(d))
	lib, err := open(wanted{"cuDNN", []string{"libcudnn.so.9", "libcudnn.so.8"}, []string{"nvidia/cudnn/lib"}, pip})
	if err != nil {
		return nil, err
	}
	C.gc_cudnn_use(lib.handle)
	c := &Cudnn{lib: lib}
	if v := c.version(); v < 8900 {
		return nil, fmt.Errorf("%w: %s is cuDNN %s, 8.9 or later is needed; %s", ErrTooOld, lib.path, c.Version(), pip)
	}
	if c.Major() > d.Major() {
		return nil, fmt.Errorf("cuDNN %s (%s) was built for CUDA %d, the driver (%s) knows CUDA %s: install a newer driver, or %s",
			c.Version(), lib.path, c.Major(), d.path, cudaVersion(d.version), pip)
	}
	for _, w := range companions(c.Major()) {
		open(w) // what is not found costs cuDNN the kernels that need it
	}
	return c, nil
})

func (c *Cudnn) version() int { return int(C.gc_cudnn_get_version()) }

// Version is the library's version as in "9.10.2".
func (c *Cudnn) Version() string {
	v := c.version()
	if v >= 90000 {
		return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
	}
	return fmt.Sprintf("%d.%d.%d", v/1000, v/100%10, v%100)
}

// Major is the major version of CUDA that the library was built for, 0 if it does not say.
func (c *Cudnn) Major() int { return int(C.gc_cudnn_get_cudart_version()) / 1000 }

// Info describes the library.
func (c *Cudnn) Info() engine.Library { return c.lib.info(c.Version()) }

// CudnnError is a failed call of cuDNN.
type CudnnError struct {
	Function     string
	Status       int
	Text, Detail string
}

func (e *CudnnError) Error() string {
	text := fmt.Sprintf("%s: %s (%d)", e.Function, e.Text, e.Status)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap makes errors.Is(err, ErrNotSupported) true for refusals.
func (e *CudnnError) Unwrap() error {
	if e.Status == cudnnStatusNotSupported8 || e.Status == cudnnStatusArchMismatch8 ||
		e.Status >= cudnnStatusNotSupportedLow && e.Status <= cudnnStatusNotSupportedTop {
		return ErrNotSupported
	}
	return nil
}

func (c *Cudnn) check(function string, status C.int) error {
	if status == 0 {
		return nil
	}
	if status <= C.GC_MISSING {
		return fmt.Errorf("%w (%w)", c.lib.lacks(C.GoString(C.gc_cudnn_name(C.GC_MISSING-status))), ErrNotSupported)
	}
	e := &CudnnError{Function: function, Status: int(status), Text: C.GoString(C.gc_cudnn_get_error_string(status))}
	var message [512]C.char
	C.gc_cudnn_get_last_error(&message[0], C.size_t(len(message)))
	e.Detail = strings.TrimSpace(C.GoString(&message[0]))
	return e
}

// CudnnHandle is cuDNN's state for one GPU.
type CudnnHandle struct {
	*Cudnn
	ctx *Context
	at  unsafe.Pointer
}

// NewHandle makes a handle for a GPU.
func (c *Cudnn) NewHandle(ctx *Context) (*CudnnHandle, error) {
	leave, err := ctx.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	h := &CudnnHandle{Cudnn: c, ctx: ctx}
	return h, c.check("cudnnCreate", C.gc_cudnnCreate(&h.at))
}

// enter keeps the goroutine on its thread, with the context as the thread's own, until
// leave is called: for libraries that make several calls of the driver in one of ours.
func (c *Context) enter() (leave func(), err error) {
	runtime.LockOSThread()
	if err := c.check("cuCtxSetCurrent", C.gc_enter(c.c)); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return runtime.UnlockOSThread, nil
}

// Close destroys the handle.
func (h *CudnnHandle) Close() error {
	leave, err := h.ctx.enter()
	if err != nil {
		return err
	}
	defer leave()
	return h.check("cudnnDestroy", C.gc_cudnnDestroy(h.at))
}

// CudnnConv are the descriptors of one convolution of the legacy API, in one of the
// three directions. It is used by one stream at a time.
type CudnnConv struct {
	h             *CudnnHandle
	direction     CudnnDirection
	x, w, conv, y unsafe.Pointer
}

// CudnnDirection says which of a convolution's tensors is computed.
type CudnnDirection int

// The directions of a convolution.
const (
	CudnnForward CudnnDirection = iota
	CudnnGradData
	CudnnGradWeights
)

// CudnnConvShape is a convolution as cuDNN wants it: at least two spatial axes,
// float32 tensors in NCHW order, dense.
type CudnnConvShape struct {
	X, W, Y               []int
	Pad, Stride, Dilation []int
	Groups, Math          int
}

// NewConv makes the descriptors.
func (h *CudnnHandle) NewConv(direction CudnnDirection, z CudnnConvShape) (*CudnnConv, error) {
	c := &CudnnConv{h: h, direction: direction}
	err := c.describe(z)
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *CudnnConv) describe(z CudnnConvShape) error {
	var err error
	if c.x, err = c.h.tensor(z.X); err != nil {
		return err
	}
	if c.y, err = c.h.tensor(z.Y); err != nil {
		return err
	}
	if err := c.h.check("cudnnCreateFilterDescriptor", C.gc_cudnnCreateFilterDescriptor(&c.w)); err != nil {
		return err
	}
	w := ints(z.W)
	if err := c.h.check("cudnnSetFilterNdDescriptor", C.gc_cudnnSetFilterNdDescriptor(c.w, CudnnFloat, cudnnNCHW, C.int(len(w)), &w[0])); err != nil {
		return err
	}
	if err := c.h.check("cudnnCreateConvolutionDescriptor", C.gc_cudnnCreateConvolutionDescriptor(&c.conv)); err != nil {
		return err
	}
	pad, stride, dilation := ints(z.Pad), ints(z.Stride), ints(z.Dilation)
	if err := c.h.check("cudnnSetConvolutionNdDescriptor", C.gc_cudnnSetConvolutionNdDescriptor(c.conv, C.int(len(pad)), &pad[0], &stride[0], &dilation[0], cudnnCrossCorrelation, CudnnFloat)); err != nil {
		return err
	}
	if err := c.h.check("cudnnSetConvolutionGroupCount", C.gc_cudnnSetConvolutionGroupCount(c.conv, C.int(z.Groups))); err != nil {
		return err
	}
	return c.SetMath(z.Math)
}

// SetMath chooses what arithmetic the convolution may use.
func (c *CudnnConv) SetMath(math int) error {
	return c.h.check("cudnnSetConvolutionMathType", C.gc_cudnnSetConvolutionMathType(c.conv, C.int(math)))
}

// tensor describes a dense float32 tensor.
func (h *CudnnHandle) tensor(dims []int) (unsafe.Pointer, error) {
	var at unsafe.Pointer
	if err := h.check("cudnnCreateTensorDescriptor", C.gc_cudnnCreateTensorDescriptor(&at)); err != nil {
		return nil, err
	}
	strides := make([]C.int, len(dims))
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = C.int(step)
		step *= dims[i]
	}
	d := ints(dims)
	if err := h.check("cudnnSetTensorNdDescriptor", C.gc_cudnnSetTensorNdDescriptor(at, CudnnFloat, C.int(len(d)), &d[0], &strides[0])); err != nil {
		return nil, errors.Join(err, h.check("cudnnDestroyTensorDescriptor", C.gc_cudnnDestroyTensorDescriptor(at)))
	}
	return at, nil
}

func ints(v []int) []C.int {
	c := make([]C.int, len(v))
	for i := range v {
		c[i] = C.int(v[i])
	}
	return c
}

// Close destroys the descriptors.
func (c *CudnnConv) Close() error {
	var err error
	for _, d := range []struct {
		at   *unsafe.Pointer
		name string
		free func(unsafe.Pointer) C.int
	}{
		{&c.x, "cudnnDestroyTensorDescriptor", func(p unsafe.Pointer) C.int { return C.gc_cudnnDestroyTensorDescriptor(p) }},
		{&c.y, "cudnnDestroyTensorDescriptor", func(p unsafe.Pointer) C.int { return C.gc_cudnnDestroyTensorDescriptor(p) }},
		{&c.w, "cudnnDestroyFilterDescriptor", func(p unsafe.Pointer) C.int { return C.gc_cudnnDestroyFilterDescriptor(p) }},
		{&c.conv, "cudnnDestroyConvolutionDescriptor", func(p unsafe.Pointer) C.int { return C.gc_cudnnDestroyConvolutionDescriptor(p) }},
	} {
		if *d.at != nil {
			err = errors.Join(err, c.h.check(d.name, d.free(*d.at)))
			*d.at = nil
		}
	}
	return err
}

// CudnnAlgo is one algorithm that the library offers.
type CudnnAlgo struct {
	Algo, Math    int
	Workspace     int64
	Deterministic bool
}

// maxAlgos is room for every algorithm with every arithmetic.
const maxAlgos = 24

// Algos lists the algorithms that work, best first by the library's own heuristics.
func (c *CudnnConv) Algos() ([]CudnnAlgo, error) {
	leave, err := c.h.ctx.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var list [maxAlgos]C.gc_cudnn_algo
	var got, status C.int
	name := "cudnnGetConvolutionForwardAlgorithm_v7"
	switch c.direction {
	case CudnnForward:
		status = C.gc_cudnnGetConvolutionForwardAlgorithm_v7(c.h.at, c.x, c.w, c.conv, c.y, maxAlgos, &got, &list[0])
	case CudnnGradData:
		name = "cudnnGetConvolutionBackwardDataAlgorithm_v7"
		status = C.gc_cudnnGetConvolutionBackwardDataAlgorithm_v7(c.h.at, c.w, c.y, c.conv, c.x, maxAlgos, &got, &list[0])
	case CudnnGradWeights:
		name = "cudnnGetConvolutionBackwardFilterAlgorithm_v7"
		status = C.gc_cudnnGetConvolutionBackwardFilterAlgorithm_v7(c.h.at, c.x, c.y, c.conv, c.w, maxAlgos, &got, &list[0])
	}
	if err := c.h.check(name, status); err != nil {
		return nil, err
	}
	var algos []CudnnAlgo
	for _, a := range list[:got] {
		if a.status == 0 {
			algos = append(algos, CudnnAlgo{Algo: int(a.algo), Math: int(a.math), Workspace: int64(a.memory), Deterministic: a.determinism != 0})
		}
	}
	return algos, nil
}

// Workspace is the memory that an algorithm needs with the arithmetic set now.
func (c *CudnnConv) Workspace(algo int) (int64, error) {
	var n C.size_t
	var status C.int
	name := "cudnnGetConvolutionForwardWorkspaceSize"
	switch c.direction {
	case CudnnForward:
		status = C.gc_cudnnGetConvolutionForwardWorkspaceSize(c.h.at, c.x, c.w, c.conv, c.y, C.int(algo), &n)
	case CudnnGradData:
		name = "cudnnGetConvolutionBackwardDataWorkspaceSize"
		status = C.gc_cudnnGetConvolutionBackwardDataWorkspaceSize(c.h.at, c.w, c.y, c.conv, c.x, C.int(algo), &n)
	case CudnnGradWeights:
		name = "cudnnGetConvolutionBackwardFilterWorkspaceSize"
		status = C.gc_cudnnGetConvolutionBackwardFilterWorkspaceSize(c.h.at, c.x, c.y, c.conv, c.w, C.int(algo), &n)
	}
	return int64(n), c.h.check(name, status)
}

// Run computes out from the inputs: (x, w), (dy, w) or (x, dy).
func (c *CudnnConv) Run(s *Stream, algo int, a, b, out, workspace uint64, bytes int64) error {
	k := C.gc_cudnn_conv{handle: c.h.at, conv: c.conv, direction: C.int(c.direction), algo: C.int(algo)}
	name := "cudnnConvolutionForward"
	switch c.direction {
	case CudnnForward:
		k.a, k.b, k.c = c.x, c.w, c.y
	case CudnnGradData: // cuDNN takes w first
		name = "cudnnConvolutionBackwardData"
		k.a, k.b, k.c = c.w, c.y, c.x
		a, b = b, a
	case CudnnGradWeights:
		name = "cudnnConvolutionBackwardFilter"
		k.a, k.b, k.c = c.x, c.y, c.w
	}
	return c.h.check(name, C.gc_cudnn_run_conv(c.h.ctx.c, &k, s.c, C.uint64_t(a), C.uint64_t(b), C.uint64_t(out), C.uint64_t(workspace), C.size_t(bytes)))
}
