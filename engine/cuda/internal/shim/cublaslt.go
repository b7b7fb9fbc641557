//go:build cgo && linux

package shim

/*
#include "dl.h"
#include "gc_cublaslt.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// Values of cuBLASLt's enumerations, equal in CUDA 11 to 13.
const (
	CublasF32  = 0
	CublasBF16 = 14

	CublasCompute32F     = 68
	CublasComputeTF32    = 77
	cublasNotSupported   = 15
	cublasArchMismatch   = 8
	descTransA           = 3
	descTransB           = 4
	descEpilogue         = 7
	descBiasType         = 26
	epilogueDefault      = 1
	epilogueReLU         = 2
	epilogueBias         = 4
	prefWorkspace        = 1
	prefReductions       = 3
	prefAlignment        = 5 // of A, B, C, D: 5 to 8
	reductionComputeType = 2
)

// CublasLt is an open cuBLASLt.
type CublasLt struct{ lib *library }

// OpenCublasLt finds and opens cuBLASLt, once a process.
func OpenCublasLt() (*CublasLt, error) { return openCublasLt() }

var openCublasLt = sync.OnceValues(func() (*CublasLt, error) {
	majors, err := majors()
	if err != nil {
		return nil, err
	}
	lib, err := open(cublasLt(majors))
	if err != nil {
		return nil, err
	}
	C.gc_cublaslt_use(lib.handle)
	return &CublasLt{lib: lib}, nil
})

// Version is the library's version as in "12.9.1".
func (c *CublasLt) Version() string {
	v := int(C.gc_cublaslt_get_version())
	return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
}

// Info describes the library.
func (c *CublasLt) Info() engine.Library { return c.lib.info(c.Version()) }

// CublasError is a failed call of cuBLASLt.
type CublasError struct {
	Function string
	Status   int
	Text     string
}

func (e *CublasError) Error() string {
	return fmt.Sprintf("%s: %s (%d)", e.Function, e.Text, e.Status)
}

// Unwrap makes errors.Is(err, ErrNotSupported) true for refusals.
func (e *CublasError) Unwrap() error {
	if e.Status == cublasNotSupported || e.Status == cublasArchMismatch {
		return ErrNotSupported
	}
	return nil
}

func (c *CublasLt) check(function string, status C.int) error {
	if status == 0 {
		return nil
	}
	if status <= C.GC_MISSING {
		return fmt.Errorf("%w (%w)", c.lib.lacks(C.GoString(C.gc_cublaslt_name(C.GC_MISSING-status))), ErrNotSupported)
	}
	return &CublasError{Function: function, Status: int(status), Text: C.GoString(C.gc_cublaslt_get_error_string(status))}
}

// CublasLtHandle is cuBLASLt's state for one GPU.
type CublasLtHandle struct {
	*CublasLt
	ctx *Context
	at  unsafe.Pointer
}

// NewHandle makes a handle for a GPU.
func (c *CublasLt) NewHandle(ctx *Context) (*CublasLtHandle, error) {
	leave, err := ctx.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	h := &CublasLtHandle{CublasLt: c, ctx: ctx}
	return h, c.check("cublasLtCreate", C.gc_cublasLtCreate(&h.at))
}

// Close destroys the handle.
func (h *CublasLtHandle) Close() error {
	leave, err := h.ctx.enter()
	if err != nil {
		return err
	}
	defer leave()
	return h.check("cublasLtDestroy", C.gc_cublasLtDestroy(h.at))
}

// CublasLtShape is a product D = op(A)·op(B) [+ C] [+ bias over the rows] [ReLU] in
// column-major words: D has M rows and N columns.
type CublasLtShape struct {
	TransA, TransB             bool
	M, N, K                    int
	TypeA, TypeB, TypeC, TypeD int
	TypeBias, Compute          int
	Add, Bias, ReLU            bool
	Alignment                  uint32 // bytes that all pointers are multiples of
	Workspace                  int64  // at most
}

// CublasLtMatmul is a product with its descriptors. It is used by one stream at a time.
type CublasLtMatmul struct {
	h          *CublasLtHandle
	k          C.gc_cublaslt_matmul
	preference unsafe.Pointer
}

// CublasLtAlgo is one algorithm that the library proposes.
type CublasLtAlgo struct {
	algo      [8]uint64
	Workspace int64
	Waves     float32
}

// NewMatmul makes the descriptors.
func (h *CublasLtHandle) NewMatmul(z CublasLtShape) (*CublasLtMatmul, error) {
	m := &CublasLtMatmul{h: h}
	m.k.handle = h.at
	if z.Bias {
		m.k.bias = 1
	}
	if z.Add {
		m.k.beta = 1
	}
	if err := m.describe(z); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *CublasLtMatmul) describe(z CublasLtShape) error {
	if err := m.h.check("cublasLtMatmulDescCreate", C.gc_cublasLtMatmulDescCreate(&m.k.desc, C.int(z.Compute), CublasF32)); err != nil {
		return err
	}
	epilogue := int32(epilogueDefault)
	if z.Bias || z.ReLU {
		epilogue = 0
	}
	if z.Bias {
		epilogue |= epilogueBias
	}
	if z.ReLU {
		epilogue |= epilogueReLU
	}
	set := []struct{ attribute, value int32 }{{descTransA, flag(z.TransA)}, {descTransB, flag(z.TransB)}, {descEpilogue, epilogue}}
	if z.Bias {
		set = append(set, struct{ attribute, value int32 }{descBiasType, int32(z.TypeBias)})
	}
	for _, s := range set {
		if err := m.h.check("cublasLtMatmulDescSetAttribute", C.gc_cublasLtMatmulDescSetAttribute(m.k.desc, C.int(s.attribute), unsafe.Pointer(&s.value), 4)); err != nil {
			return err
		}
	}
	rows := func(trans bool, r, c int) (int, int) {
		if trans {
			return c, r
		}
		return r, c
	}
	ar, ac := rows(z.TransA, z.M, z.K)
	br, bc := rows(z.TransB, z.K, z.N)
	for _, l := range []struct {
		at         *unsafe.Pointer
		kind, r, c int
	}{{&m.k.a, z.TypeA, ar, ac}, {&m.k.b, z.TypeB, br, bc}, {&m.k.c, z.TypeC, z.M, z.N}, {&m.k.d, z.TypeD, z.M, z.N}} {
		var layout unsafe.Pointer
		status := C.gc_cublasLtMatrixLayoutCreate(&layout, C.int(l.kind), C.uint64_t(l.r), C.uint64_t(l.c), C.int64_t(l.r))
		if err := m.h.check("cublasLtMatrixLayoutCreate", status); err != nil {
			return err
		}
		*l.at = layout
	}
	return m.prefer(z)
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// prefer limits what the library may propose: sums are split only in a way that gives
// the same bits each time.
func (m *CublasLtMatmul) prefer(z CublasLtShape) error {
	if err := m.h.check("cublasLtMatmulPreferenceCreate", C.gc_cublasLtMatmulPreferenceCreate(&m.preference)); err != nil {
		return err
	}
	workspace, reductions, alignment := uint64(z.Workspace), uint32(reductionComputeType), z.Alignment
	set := func(attribute int, value unsafe.Pointer, bytes int) error {
		return m.h.check("cublasLtMatmulPreferenceSetAttribute", C.gc_cublasLtMatmulPreferenceSetAttribute(m.preference, C.int(attribute), value, C.size_t(bytes)))
	}
	err := errors.Join(set(prefWorkspace, unsafe.Pointer(&workspace), 8), set(prefReductions, unsafe.Pointer(&reductions), 4))
	for i := range 4 {
		err = errors.Join(err, set(prefAlignment+i, unsafe.Pointer(&alignment), 4))
	}
	return err
}

// Name identifies the algorithm for one version of the library.
func (a *CublasLtAlgo) Name() string { return fmt.Sprintf("%x", a.algo) }

// maxProducts is how many algorithms are asked for.
const maxProducts = 8

// Algos lists the library's proposals, best first.
func (m *CublasLtMatmul) Algos() ([]CublasLtAlgo, error) {
	leave, err := m.h.ctx.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var list [maxProducts]C.gc_cublaslt_algo
	var got C.int
	status := C.gc_cublasLtMatmulAlgoGetHeuristic(m.k.handle, m.k.desc, m.k.a, m.k.b, m.k.c, m.k.d, m.preference, maxProducts, &list[0], &got)
	if err := m.h.check("cublasLtMatmulAlgoGetHeuristic", status); err != nil {
		return nil, err
	}
	var algos []CublasLtAlgo
	for _, a := range list[:got] {
		if a.status == 0 {
			algo := CublasLtAlgo{Workspace: int64(a.workspace), Waves: float32(a.waves)}
			for i := range algo.algo {
				algo.algo[i] = uint64(a.algo[i])
			}
			algos = append(algos, algo)
		}
	}
	return algos, nil
}

// Run computes d. c and bias are 0 where the product has none.
func (m *CublasLtMatmul) Run(s *Stream, algo *CublasLtAlgo, a, b, c, d, bias, workspace uint64, bytes int64) error {
	for i, v := range algo.algo {
		m.k.algo[i] = C.uint64_t(v)
	}
	status := C.gc_cublaslt_run(m.h.ctx.c, &m.k, s.c, C.uint64_t(a), C.uint64_t(b), C.uint64_t(c), C.uint64_t(d), C.uint64_t(bias), C.uint64_t(workspace), C.size_t(bytes))
	return m.h.check("cublasLtMatmul", status)
}

// Close destroys the descriptors.
func (m *CublasLtMatmul) Close() error {
	var err error
	for _, l := range []*unsafe.Pointer{&m.k.a, &m.k.b, &m.k.c, &m.k.d} {
		if *l != nil {
			err = errors.Join(err, m.h.check("cublasLtMatrixLayoutDestroy", C.gc_cublasLtMatrixLayoutDestroy(*l)))
			*l = nil
		}
	}
	if m.preference != nil {
		err = errors.Join(err, m.h.check("cublasLtMatmulPreferenceDestroy", C.gc_cublasLtMatmulPreferenceDestroy(m.preference)))
		m.preference = nil
	}
	if m.k.desc != nil {
		err = errors.Join(err, m.h.check("cublasLtMatmulDescDestroy", C.gc_cublasLtMatmulDescDestroy(m.k.desc)))
		m.k.desc = nil
	}
	return err
}
