//go:build cgo && linux

package shim

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"unsafe"
)

// Since version 9.8 cuDNN proposes engines for a GPU that is not there, from its properties.
// What it says of an H100 is what the stand-in offers (fake/libs/cudnn_graph.c, offered).

// What only this test sets.
const (
	kindDevice     = 38
	attrDeviceJSON = 2702
	attrHeurDevice = 204
	typeChar       = 24
)

// gpus are kinds that train nets: compute capability, multiprocessors, and bytes of shared
// memory that a block may ask for.
var gpus = []struct {
	name                         string
	capability, processors, room int
}{
	{"NVIDIA A100-SXM4-80GB", 800, 108, 166912}, {"NVIDIA GeForce RTX 4090", 890, 128, 101376}, {"NVIDIA H100 80GB HBM3", 900, 132, 232448},
	{"NVIDIA B200", 1000, 148, 232448}, {"NVIDIA GeForce RTX 5090", 1200, 170, 101376},
}

// properties is what cuDNN wants to know of a GPU: name, capability, processors, room.
const properties = `{"deviceName": %q, "deviceVer": %d, "deviceId": 0, "cudaDeviceId": 0, "driverVer": 13000,
"multiProcessorCount": %d, "smCountOrigin": 0, "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], "warpSize": 32,
"maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "maxCtasPerSM": 32, "regsPerBlock": 65536, "maxRegistersPerSM": 65536,
"maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": %d, "oversizedSharedMemoryPerBlock": 0, "reservedSharedMemoryPerBlock": 1024,
"totalGlobalMem": 25757220864, "l2CacheSize": 52428800, "memoryBusWidth": 384, "memClockRateKHz": 2619000, "smClockRateKHz": 1980000,
"pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1}`

// absent is a GPU that is not there.
func absent(t *testing.T, h *CudnnHandle, json string) *backend {
	t.Helper()
	b := h.backend(kindDevice)
	text := []byte(json)
	b.set(attrDeviceJSON, typeChar, len(text), unsafe.Pointer(&text[0]))
	b.finalize()
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b
}

// proposed are the engines that cuDNN proposes for a graph on the GPU, by both heuristics.
func proposed(h *CudnnHandle, gpu *backend, z CudnnGraphShape) (list []CudnnConfig, err error) {
	g := &CudnnGraph{h: h, plain: z.Plain}
	defer g.Close()
	ops, err := g.operations(z)
	if err != nil {
		return nil, err
	}
	b := g.keep(h.backend(kindOperationGraph))
	b.pointer(attrGraphOps, typeDescriptor, ops...)
	b.finalize()
	for _, mode := range []int32{heurModeA, heurFallback} {
		heur := g.keep(&backend{h: h, at: h.backend(kindEngineHeuristic).at, err: b.err})
		heur.pointer(attrHeurGraph, typeDescriptor, b.at)
		heur.int32(attrHeurMode, typeHeurMode, mode)
		heur.pointer(attrHeurDevice, typeDescriptor, gpu.at)
		heur.finalize()
		if heur.err != nil {
			return nil, heur.err
		}
		more, err := g.results(heur)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// layer is a convolution of square pictures.
type layer struct {
	name                                    string
	n, c, size, out, kernel, stride, pad, g int
}

// graph is the layer in one kind of graph.
func (l layer) graph(k kind) CudnnGraphShape {
	y := (l.size+2*l.pad-l.kernel)/l.stride + 1
	z := CudnnGraphShape{Direction: k.direction, X: []int{l.n, l.c, l.size, l.size}, W: []int{l.out, l.c / l.g, l.kernel, l.kernel}, Y: []int{l.n, l.out, y, y},
		Pad: []int{l.pad, l.pad}, Stride: []int{l.stride, l.stride}, Dilation: []int{1, 1}, TypeX: k.x, TypeW: k.w, TypeY: k.y}
	if k.finish != nil {
		k.finish(&z)
	}
	return z
}

// layers are convolutions of nets: first ones of one and three channels, in groups, odd ones.
var layers = []layer{
	{"LeNet conv1", 64, 1, 28, 20, 5, 1, 0, 1}, {"LeNet conv2", 64, 20, 12, 50, 5, 1, 0, 1},
	{"AlexNet conv1", 256, 3, 227, 96, 11, 4, 0, 1}, {"AlexNet conv2", 256, 96, 27, 256, 5, 1, 2, 2},
	{"AlexNet conv3", 256, 256, 13, 384, 3, 1, 1, 1}, {"AlexNet conv4", 256, 384, 13, 384, 3, 1, 1, 2},
	{"GoogLeNet conv1", 128, 3, 224, 64, 7, 2, 3, 1}, {"GoogLeNet 1x1", 128, 192, 28, 16, 1, 1, 0, 1}, {"GoogLeNet 5x5", 128, 16, 28, 32, 5, 1, 2, 1},
	{"VGG conv1", 64, 3, 224, 64, 3, 1, 1, 1}, {"ResNet 1x1/2", 64, 256, 56, 512, 1, 2, 0, 1},
	{"depthwise", 64, 32, 112, 32, 3, 1, 1, 32}, {"odd", 64, 17, 30, 5, 3, 1, 1, 1},
}

// kind is a direction, the types of its tensors, and an epilogue.
type kind struct {
	name      string
	must      bool // the engine counts on it
	direction CudnnDirection
	x, w, y   int
	finish    func(z *CudnnGraphShape)
}

// kinds are the graphs that the engine makes of each layer.
var kinds = []kind{
	{name: "bf16 forward", must: true, direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16},
	{name: "bf16 forward to float32", direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnFloat},
	{name: "bf16 forward, bf16 bias", must: true, direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16, finish: func(z *CudnnGraphShape) { z.Bias, z.TypeBias = true, CudnnBFloat16 }},
	{name: "bf16 forward, bf16 bias, ReLU", must: true, direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16, finish: func(z *CudnnGraphShape) {
		z.Bias, z.ReLU, z.TypeBias = true, true, CudnnBFloat16
	}},
	{name: "bf16 forward, bf16 bias, sum, ReLU", direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16, finish: func(z *CudnnGraphShape) {
		z.Bias, z.Add, z.ReLU, z.TypeBias, z.TypeAdd = true, true, true, CudnnBFloat16, CudnnBFloat16
	}},
	{name: "bf16 forward, bias", direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16, finish: func(z *CudnnGraphShape) { z.Bias = true }},
	{name: "bf16 forward, bias, ReLU", direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16, finish: func(z *CudnnGraphShape) { z.Bias, z.ReLU = true, true }},
	{name: "bf16 forward, bias, sum, ReLU", direction: CudnnForward, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16, finish: func(z *CudnnGraphShape) {
		z.Bias, z.Add, z.ReLU, z.TypeAdd = true, true, true, CudnnBFloat16
	}},
	{name: "bf16 data gradient", must: true, direction: CudnnGradData, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16},
	{name: "bf16 data gradient to float32", direction: CudnnGradData, x: CudnnFloat, w: CudnnBFloat16, y: CudnnBFloat16},
	{name: "bf16 data gradient, sum", direction: CudnnGradData, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16, finish: func(z *CudnnGraphShape) { z.Add, z.TypeAdd = true, CudnnBFloat16 }},
	{name: "bf16 weights' gradient", must: true, direction: CudnnGradWeights, x: CudnnBFloat16, w: CudnnBFloat16, y: CudnnBFloat16},
	{name: "bf16 weights' gradient to float32", direction: CudnnGradWeights, x: CudnnBFloat16, w: CudnnFloat, y: CudnnBFloat16},
	{name: "tf32 forward", must: true, direction: CudnnForward, x: CudnnFloat, w: CudnnFloat, y: CudnnFloat},
	{name: "tf32 forward, bias, ReLU", must: true, direction: CudnnForward, x: CudnnFloat, w: CudnnFloat, y: CudnnFloat, finish: func(z *CudnnGraphShape) { z.Bias, z.ReLU = true, true }},
	{name: "tf32 data gradient", must: true, direction: CudnnGradData, x: CudnnFloat, w: CudnnFloat, y: CudnnFloat},
	{name: "tf32 weights' gradient", must: true, direction: CudnnGradWeights, x: CudnnFloat, w: CudnnFloat, y: CudnnFloat},
}

// These GPUs have engines, with tensor cores and the same bits each time, for what the engine
// counts on. What they have for the rest is logged.
func TestEnginesOfAbsentGPUs(t *testing.T) {
	if os.Getenv(realVariable) == "" {
		t.Skip("the stand-in has engines for what `make check-headers` found that the real one has them for")
	}
	h := handleless(t)
	if b := h.backend(kindDevice); b.err != nil {
		t.Skipf("cuDNN %s proposes nothing for a GPU that is not there: %v", h.Version(), b.err)
	}
	for _, g := range gpus {
		t.Run(g.name, func(t *testing.T) {
			gpu := absent(t, h, fmt.Sprintf(properties, g.name, g.capability, g.processors, g.room))
			for _, k := range kinds {
				checkEngines(t, h, gpu, k)
			}
		})
	}
}

// checkEngines looks for the engines of all layers in one kind of graph.
func checkEngines(t *testing.T, h *CudnnHandle, gpu *backend, k kind) {
	t.Helper()
	var without, slow []string
	for _, l := range layers {
		list, err := proposed(h, gpu, l.graph(k))
		if err != nil {
			t.Errorf("%s, %s: %v", k.name, l.name, err)
		}
		good := slices.DeleteFunc(list, func(c CudnnConfig) bool {
			return slices.ContainsFunc(c.Notes, func(n int32) bool { return n >= NoteReducedReduction })
		})
		switch {
		case len(good) == 0:
			without = append(without, l.name)
		case !slices.ContainsFunc(good, func(c CudnnConfig) bool { return slices.Contains(c.Notes, NoteTensorCore) }):
			slow = append(slow, l.name)
		}
	}
	text := fmt.Sprintf("%s: no engine for %q, none with tensor cores for %q", k.name, without, slow)
	if t.Log(text); k.must && len(without)+len(slow) > 0 {
		t.Error(text)
	}
}
