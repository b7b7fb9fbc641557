//go:build cgo && linux

package shim

// #include "gc_cudnn.h"
import "C"

import (
	"errors"
	"unsafe"
)

// Descriptor kinds of the graph API (cudnnBackendDescriptorType_t), by the names in
// cudnn_graph.h less CUDNN_BACKEND_ and _DESCRIPTOR.
const (
	kindPointwise       = 0
	kindConvolution     = 1
	kindEngineConfig    = 3
	kindEngineHeuristic = 4
	kindExecutionPlan   = 5
	kindConvForward     = 10
	kindConvGradWeights = 11
	kindConvGradData    = 12
	kindPointwiseOp     = 13
	kindOperationGraph  = 15
	kindTensor          = 17
	kindEngine          = 2
)

// Attribute types (cudnnBackendAttributeType_t).
const (
	typeHandle      = 0
	typeDataType    = 1
	typeBoolean     = 2
	typeInt64       = 3
	typeFloat       = 4
	typeDouble      = 5
	typeConvMode    = 7
	typeHeurMode    = 8
	typeNote        = 11
	typePointwise   = 14
	typeDescriptor  = 15
	pointwiseAdd    = 0
	pointwiseReLU   = 100
	heurModeA       = 3
	heurFallback    = 2
	tensorAlignment = 16
)

// Attributes (cudnnBackendAttributeName_t).
const (
	attrPointwiseMode      = 0
	attrPointwisePrecision = 1
	attrReLUSlope          = 5
	attrConvCompute        = 100
	attrConvMode           = 101
	attrConvDilations      = 102
	attrConvStrides        = 103
	attrConvPostPaddings   = 104
	attrConvPrePaddings    = 105
	attrConvAxes           = 106
	attrHeurMode           = 200
	attrHeurGraph          = 201
	attrHeurResults        = 202
	attrConfigEngine       = 300
	attrPlanHandle         = 400
	attrPlanConfig         = 401
	attrPlanWorkspace      = 402
	attrForward            = 700 // alpha, beta, convolution, W, X, Y
	attrGradData           = 706 // alpha, beta, convolution, W, DX, DY
	attrGradWeights        = 712 // alpha, beta, convolution, DW, X, DY
	attrPointwise          = 750
	attrPointwiseX         = 751
	attrPointwiseB         = 752
	attrPointwiseY         = 753
	attrGraphHandle        = 800
	attrGraphOps           = 801
	attrTensorAlignment    = 900
	attrTensorType         = 901
	attrTensorDims         = 902
	attrTensorStrides      = 903
	attrTensorID           = 906
	attrTensorVirtual      = 907
	attrEngineIndex        = 1301
	attrEngineNotes        = 1303
)

// Notes of an engine on its arithmetic (cudnnBackendNumericalNote_t).
const (
	NoteTensorCore        = 0
	NoteDownConvertInputs = 1
	NoteReducedReduction  = 2
	NoteFFT               = 3
	NoteNondeterministic  = 4
	NoteWinograd          = 5
)

// CudnnGraphShape is a convolution of the graph API, with what follows it. Tensors
// lie with their channels last, unless Plain; dimensions are in N, C, S… order, of at least two spatial
// axes. Tensors are numbered as the kernel gets them: two inputs, the bias, the
// tensor to add, the output.
type CudnnGraphShape struct {
	Direction             CudnnDirection
	Plain                 bool // channels before the spatial axes instead
	X, W, Y               []int
	TypeX, TypeW, TypeY   int
	Pad, Stride, Dilation []int
	Bias, Add, ReLU       bool
	TypeBias, TypeAdd     int
	Slope                 float32
}

// CudnnGraph is a finalised operation graph.
type CudnnGraph struct {
	h      *CudnnHandle
	graph  unsafe.Pointer
	all    []unsafe.Pointer
	plain  bool
	nextID int64
	ids    []int64 // of the kernel's tensors in its order
}

// backend is a descriptor under construction with a sticky error.
type backend struct {
	h   *CudnnHandle
	at  unsafe.Pointer
	err error
}

func (h *CudnnHandle) backend(kind int) *backend {
	b := &backend{h: h}
	b.err = h.check("cudnnBackendCreateDescriptor", C.gc_cudnnBackendCreateDescriptor(C.int(kind), &b.at))
	return b
}

func (b *backend) set(attribute, kind, n int, values unsafe.Pointer) {
	if b.err == nil {
		b.err = b.h.check("cudnnBackendSetAttribute", C.gc_cudnnBackendSetAttribute(b.at, C.int(attribute), C.int(kind), C.int64_t(n), values))
	}
}

func (b *backend) int32(attribute, kind int, v int32) { b.set(attribute, kind, 1, unsafe.Pointer(&v)) }
func (b *backend) int64(attribute int, v int64)       { b.set(attribute, typeInt64, 1, unsafe.Pointer(&v)) }
func (b *backend) float(attribute int, v float32)     { b.set(attribute, typeFloat, 1, unsafe.Pointer(&v)) }

func (b *backend) int64s(attribute int, v []int64) {
	b.set(attribute, typeInt64, len(v), unsafe.Pointer(&v[0]))
}

// pointer sets an attribute that holds addresses of the library's own objects.
func (b *backend) pointer(attribute, kind int, p ...unsafe.Pointer) {
	v := make([]uintptr, len(p)) // C's memory: Go's collector has no part in it
	for i := range p {
		v[i] = uintptr(p[i])
	}
	b.set(attribute, kind, len(v), unsafe.Pointer(&v[0]))
}

func (b *backend) finalize() {
	if b.err == nil {
		b.err = b.h.check("cudnnBackendFinalize", C.gc_cudnnBackendFinalize(b.at))
	}
}

func (h *CudnnHandle) destroy(p unsafe.Pointer) error {
	if p == nil {
		return nil
	}
	return h.check("cudnnBackendDestroyDescriptor", C.gc_cudnnBackendDestroyDescriptor(p))
}

// NewGraph builds and finalises the operation graph.
func (h *CudnnHandle) NewGraph(z CudnnGraphShape) (*CudnnGraph, error) {
	leave, err := h.ctx.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	g := &CudnnGraph{h: h, plain: z.Plain}
	if err := g.build(z); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *CudnnGraph) build(z CudnnGraphShape) error {
	ops, err := g.operations(z)
	if err != nil {
		return err
	}
	b := g.keep(g.h.backend(kindOperationGraph))
	b.pointer(attrGraphHandle, typeHandle, g.h.at)
	b.pointer(attrGraphOps, typeDescriptor, ops...)
	b.finalize()
	g.graph = b.at
	return b.err
}

// operations describes all that comes before the graph. It needs no GPU.
func (g *CudnnGraph) operations(z CudnnGraphShape) ([]unsafe.Pointer, error) {
	fused := z.Bias || z.Add || z.ReLU
	x, err := g.tensor(z.X, z.TypeX, fused && z.Direction == CudnnGradData)
	if err != nil {
		return nil, err
	}
	w, err := g.tensor(z.W, z.TypeW, false)
	if err != nil {
		return nil, err
	}
	y, err := g.tensor(z.Y, z.TypeY, fused && z.Direction == CudnnForward)
	if err != nil {
		return nil, err
	}
	conv, err := g.convolution(z)
	if err != nil {
		return nil, err
	}
	op, err := g.operation(z.Direction, conv, x, w, y)
	if err != nil {
		return nil, err
	}
	out, dims, kind := y, z.Y, z.TypeY
	switch z.Direction {
	case CudnnForward:
		g.ids = []int64{x.id, w.id}
	case CudnnGradData:
		g.ids, out, dims, kind = []int64{y.id, w.id}, x, z.X, z.TypeX
	case CudnnGradWeights:
		g.ids, out, dims, kind = []int64{x.id, y.id}, w, z.W, z.TypeW
	}
	ops := []unsafe.Pointer{op}
	if ops, out, err = g.epilogue(z, ops, out, dims, kind); err != nil {
		return nil, err
	}
	g.ids = append(g.ids, out.id)
	return ops, nil
}

// keep enters a descriptor in the list of those to destroy.
func (g *CudnnGraph) keep(b *backend) *backend {
	if b.at != nil {
		g.all = append(g.all, b.at)
	}
	return b
}

// node is a tensor of the graph.
type node struct {
	at unsafe.Pointer
	id int64
}

// tensor describes a dense tensor. A virtual one is only a value between two
// operations, in float32.
func (g *CudnnGraph) tensor(dims []int, kind int, virtual bool) (node, error) {
	g.nextID++
	d, strides := int64s(dims), g.strides(dims)
	b := g.keep(g.h.backend(kindTensor))
	if virtual {
		kind = CudnnFloat
	}
	b.int32(attrTensorType, typeDataType, int32(kind))
	b.int64s(attrTensorDims, d)
	b.int64s(attrTensorStrides, strides)
	b.int64(attrTensorID, g.nextID)
	b.int64(attrTensorAlignment, tensorAlignment)
	b.set(attrTensorVirtual, typeBoolean, 1, unsafe.Pointer(&virtual))
	b.finalize()
	return node{at: b.at, id: g.nextID}, b.err
}

// strides are those of a dense tensor in the graph's layout.
func (g *CudnnGraph) strides(dims []int) []int64 {
	strides := make([]int64, len(dims))
	step := int64(1)
	if !g.plain {
		strides[1], step = 1, int64(dims[1])
	}
	for i := len(dims) - 1; i >= 0; i-- {
		if g.plain || i != 1 {
			strides[i] = step
			step *= int64(dims[i])
		}
	}
	return strides
}

func (g *CudnnGraph) convolution(z CudnnGraphShape) (unsafe.Pointer, error) {
	b := g.keep(g.h.backend(kindConvolution))
	b.int32(attrConvCompute, typeDataType, CudnnFloat)
	b.int32(attrConvMode, typeConvMode, cudnnCrossCorrelation)
	b.int64(attrConvAxes, int64(len(z.Pad)))
	b.int64s(attrConvPrePaddings, int64s(z.Pad))
	b.int64s(attrConvPostPaddings, int64s(z.Pad))
	b.int64s(attrConvStrides, int64s(z.Stride))
	b.int64s(attrConvDilations, int64s(z.Dilation))
	b.finalize()
	return b.at, b.err
}

func int64s(v []int) []int64 {
	c := make([]int64, len(v))
	for i := range v {
		c[i] = int64(v[i])
	}
	return c
}

// operation is the convolution in its direction: its attributes are numbered alike.
func (g *CudnnGraph) operation(d CudnnDirection, conv unsafe.Pointer, x, w, y node) (unsafe.Pointer, error) {
	kind, at := kindConvForward, attrForward
	switch d {
	case CudnnGradData:
		kind, at = kindConvGradData, attrGradData
	case CudnnGradWeights:
		kind, at = kindConvGradWeights, attrGradWeights
	}
	b := g.keep(g.h.backend(kind))
	b.float(at, 1)
	b.float(at+1, 0)
	b.pointer(at+2, typeDescriptor, conv)
	b.pointer(at+3, typeDescriptor, w.at)
	b.pointer(at+4, typeDescriptor, x.at)
	b.pointer(at+5, typeDescriptor, y.at)
	b.finalize()
	return b.at, b.err
}

// epilogue appends the operations that finish the output: bias, sum, ReLU.
func (g *CudnnGraph) epilogue(z CudnnGraphShape, ops []unsafe.Pointer, out node, dims []int, kind int) ([]unsafe.Pointer, node, error) {
	left := 0
	for _, on := range []bool{z.Bias, z.Add, z.ReLU} {
		if on {
			left++
		}
	}
	step := func(mode int32, second *node) error {
		left--
		y, err := g.tensor(dims, kind, left > 0)
		if err != nil {
			return err
		}
		op, err := g.pointwise(mode, z.Slope, out, second, y)
		ops, out = append(ops, op), y
		return err
	}
	if z.Bias {
		shape := make([]int, len(dims))
		for i := range shape {
			shape[i] = 1
		}
		shape[1] = dims[1]
		bias, err := g.tensor(shape, z.TypeBias, false)
		if err != nil {
			return nil, out, err
		}
		g.ids = append(g.ids, bias.id)
		if err := step(pointwiseAdd, &bias); err != nil {
			return nil, out, err
		}
	}
	if z.Add {
		add, err := g.tensor(dims, z.TypeAdd, false)
		if err != nil {
			return nil, out, err
		}
		g.ids = append(g.ids, add.id)
		if err := step(pointwiseAdd, &add); err != nil {
			return nil, out, err
		}
	}
	if z.ReLU {
		if err := step(pointwiseReLU, nil); err != nil {
			return nil, out, err
		}
	}
	return ops, out, nil
}

func (g *CudnnGraph) pointwise(mode int32, slope float32, x node, second *node, y node) (unsafe.Pointer, error) {
	p := g.keep(g.h.backend(kindPointwise))
	p.int32(attrPointwiseMode, typePointwise, mode)
	p.int32(attrPointwisePrecision, typeDataType, CudnnFloat)
	if mode == pointwiseReLU && slope != 0 {
		v := float64(slope)

		p.set(attrReLUSlope, typeDouble, 1, unsafe.Pointer(&v))
	}
	p.finalize()
	if p.err != nil {
		return nil, p.err
	}
	b := g.keep(g.h.backend(kindPointwiseOp))
	b.pointer(attrPointwise, typeDescriptor, p.at)
	b.pointer(attrPointwiseX, typeDescriptor, x.at)
	if second != nil {
		b.pointer(attrPointwiseB, typeDescriptor, second.at)
	}
	b.pointer(attrPointwiseY, typeDescriptor, y.at)
	b.finalize()
	return b.at, b.err
}

// Close destroys the graph's descriptors. Its plans live on.
func (g *CudnnGraph) Close() error {
	var err error
	for i := len(g.all) - 1; i >= 0; i-- {
		err = errors.Join(err, g.h.destroy(g.all[i]))
	}
	g.all, g.graph = nil, nil
	return err
}

// CudnnConfig is one way to compute a graph that the library proposes.
type CudnnConfig struct {
	at     unsafe.Pointer
	Engine int64 // the engine's number, the same for one version of the library
	Notes  []int32
}

// maxConfigs is how many proposals are asked for in one mode of the heuristics.
const maxConfigs = 16

// Configs lists proposals, best first by the library's heuristics: those of its model
// (mode A), then those that always work. The graph owns them.
func (g *CudnnGraph) Configs() ([]CudnnConfig, error) {
	leave, err := g.h.ctx.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []CudnnConfig
	var failed error
	for _, mode := range []int32{heurModeA, heurFallback} {
		more, err := g.configs(mode)
		failed = errors.Join(failed, err)
		list = append(list, more...)
	}
	if len(list) == 0 {
		return nil, failed
	}
	return list, nil
}

func (g *CudnnGraph) configs(mode int32) ([]CudnnConfig, error) {
	heur := g.h.backend(kindEngineHeuristic)
	heur.pointer(attrHeurGraph, typeDescriptor, g.graph)
	heur.int32(attrHeurMode, typeHeurMode, mode)
	heur.finalize()
	defer func() { _ = g.h.destroy(heur.at) }()
	if heur.err != nil {
		return nil, heur.err
	}
	return g.results(heur)
}

// results are the proposals of a heuristic.
func (g *CudnnGraph) results(heur *backend) ([]CudnnConfig, error) {
	room := make([]uintptr, maxConfigs)
	for i := range room {
		b := g.keep(g.h.backend(kindEngineConfig))
		if b.err != nil {
			return nil, b.err
		}
		room[i] = uintptr(b.at)
	}
	first := len(g.all) - maxConfigs
	var got C.int64_t
	status := C.gc_cudnnBackendGetAttribute(heur.at, attrHeurResults, typeDescriptor, maxConfigs, &got, unsafe.Pointer(&room[0]))
	if err := g.h.check("cudnnBackendGetAttribute", status); err != nil {
		return nil, err
	}
	var list []CudnnConfig
	for _, at := range g.all[first : first+min(int(got), maxConfigs)] {
		list = append(list, g.describe(at))
	}
	return list, nil
}

// describe reads which engine a proposal uses. One that does not say keeps number -1.
func (g *CudnnGraph) describe(at unsafe.Pointer) CudnnConfig {
	c := CudnnConfig{at: at, Engine: -1}
	engine := g.h.backend(kindEngine)
	defer func() { _ = g.h.destroy(engine.at) }()
	if engine.err != nil {
		return c
	}
	var n C.int64_t
	to := uintptr(engine.at)
	if C.gc_cudnnBackendGetAttribute(at, attrConfigEngine, typeDescriptor, 1, &n, unsafe.Pointer(&to)) != 0 {
		return c
	}
	var index C.int64_t
	if C.gc_cudnnBackendGetAttribute(engine.at, attrEngineIndex, typeInt64, 1, &n, unsafe.Pointer(&index)) == 0 {
		c.Engine = int64(index)
	}
	var notes [16]int32
	if C.gc_cudnnBackendGetAttribute(engine.at, attrEngineNotes, typeNote, 16, &n, unsafe.Pointer(&notes[0])) == 0 {
		c.Notes = append(c.Notes, notes[:min(int(n), len(notes))]...)
	}
	return c
}

// CudnnPlan is a graph made ready with one config. It is used by one stream at a time.
type CudnnPlan struct {
	h         *CudnnHandle
	at        unsafe.Pointer
	ids       []int64
	Workspace int64
}

// Plan finalises a config; errors.Is(err, ErrNotSupported) says to try the next.
func (g *CudnnGraph) Plan(c CudnnConfig) (*CudnnPlan, error) {
	leave, err := g.h.ctx.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	b := g.h.backend(kindExecutionPlan)
	b.pointer(attrPlanHandle, typeHandle, g.h.at)
	b.pointer(attrPlanConfig, typeDescriptor, c.at)
	b.finalize()
	p := &CudnnPlan{h: g.h, at: b.at, ids: g.ids}
	if b.err == nil {
		var n, bytes C.int64_t
		b.err = g.h.check("cudnnBackendGetAttribute", C.gc_cudnnBackendGetAttribute(b.at, attrPlanWorkspace, typeInt64, 1, &n, unsafe.Pointer(&bytes)))
		p.Workspace = int64(bytes)
	}
	if b.err != nil {
		return nil, errors.Join(b.err, g.h.destroy(b.at))
	}
	return p, nil
}

// Run executes the plan on the tensors in the kernel's order: the inputs, then the
// output.
func (p *CudnnPlan) Run(s *Stream, tensors []uint64, workspace uint64) error {
	status := C.gc_cudnn_run_plan(p.h.ctx.c, p.h.at, s.c, p.at, C.int(len(tensors)),
		(*C.int64_t)(unsafe.Pointer(&p.ids[0])), (*C.uint64_t)(unsafe.Pointer(&tensors[0])), C.uint64_t(workspace))
	return p.h.check("cudnnBackendExecute", status)
}

// Close destroys the plan.
func (p *CudnnPlan) Close() error {
	err := p.h.destroy(p.at)
	p.at = nil
	return err
}
