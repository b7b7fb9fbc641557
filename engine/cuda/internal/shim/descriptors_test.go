//go:build cgo && linux

package shim

import (
	"debug/elf"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// NVIDIA's libraries check descriptors without a GPU, up to where a handle is needed. These
// tests run on the real libraries (`make check-headers`: with the stand-in for the
// driver) and on the stand-ins, so that the engine's descriptors are known to be taken, and
// what the real ones refuse the stand-ins refuse too.

// realVariable is set where cuDNN and cuBLASLt are NVIDIA's.
const realVariable = "GOCAFFE_REAL_LIBRARIES"

// handleless is cuDNN without its state for a GPU.
func handleless(t *testing.T) *CudnnHandle {
	t.Helper()
	skip := t.Skip
	if os.Getenv(realVariable) != "" || slices.Contains(strings.Split(os.Getenv("GOCAFFE_TEST_ENGINES"), ","), "cuda") {
		skip = t.Fatal
	}
	d, err := OpenDriver()
	if err != nil {
		skip(err)
	}
	lib, err := OpenCudnn()
	if err != nil {
		skip(err)
	}
	ctx, err := d.Context(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", lib.Info())
	return &CudnnHandle{Cudnn: lib, ctx: ctx}
}

// The libraries have each function that is declared; looking one up happens when it is first
// called.
func TestSymbols(t *testing.T) {
	if os.Getenv(realVariable) == "" {
		t.Skip("the stand-ins have what the engine's tests call")
	}
	handleless(t)
	cudnn, err := OpenCudnn()
	if err != nil {
		t.Fatal(err)
	}
	libraries := map[string]string{"cudnn_syms.h": cudnn.Info().Path}
	if lt, err := OpenCublasLt(); err != nil {
		t.Log(err) // of another CUDA than cuDNN
	} else {
		libraries["cublaslt_syms.h"] = lt.Info().Path
	}
	for header, library := range libraries {
		text, err := os.ReadFile(header)
		if err != nil {
			t.Fatal(err)
		}
		has := defined(t, library)
		declared := regexp.MustCompile(`(?m)^  [A-Z]\(.*?\b(cudnn\w+|cublasLt\w+),`).FindAllSubmatch(text, -1)
		if len(declared) < 10 {
			t.Errorf("%s declares %d functions, want more", header, len(declared))
		}
		for _, d := range declared {
			if !has[string(d[1])] {
				t.Errorf("%s lacks %s", library, d[1])
			}
		}
	}
}

// defined are the symbols that a library offers.
func defined(t *testing.T, library string) map[string]bool {
	t.Helper()
	f, err := elf.Open(library)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, s := range symbols {
		has[s.Name] = has[s.Name] || s.Section != elf.SHN_UNDEF
	}
	return has
}

// Every graph that the engine builds is taken: directions, layouts, types and epilogues.
func TestGraphDescriptors(t *testing.T) {
	h := handleless(t)
	for _, direction := range []CudnnDirection{CudnnForward, CudnnGradData, CudnnGradWeights} {
		for i := range 64 {
			on := func(bit int) bool { return i>>bit&1 == 1 }
			z := grouped
			z.Direction, z.Plain = direction, on(0)
			if on(1) {
				z.TypeX, z.TypeW, z.TypeY = CudnnBFloat16, CudnnBFloat16, CudnnBFloat16
			}
			z.Bias, z.Add, z.ReLU, z.TypeAdd = on(2), on(3), on(4), z.TypeY
			if on(5) {
				z.Slope, z.X, z.W, z.Y = 0.1, append(z.X[:4:4], 7), append(z.W[:4:4], 3), append(z.Y[:4:4], 7)
				z.Pad, z.Stride, z.Dilation = []int{1, 1, 1}, []int{2, 2, 1}, []int{1, 1, 1}
			}
			g := &CudnnGraph{h: h, plain: z.Plain}
			if _, err := g.operations(z); err != nil {
				t.Errorf("%+v: %v", z, err)
			}
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// grouped is a convolution in two groups.
var grouped = CudnnGraphShape{X: []int{4, 8, 12, 12}, W: []int{16, 4, 3, 3}, Y: []int{4, 16, 6, 6}, Pad: []int{1, 1}, Stride: []int{2, 2}, Dilation: []int{1, 1}}

// Descriptors of the legacy API.
func TestLegacyDescriptors(t *testing.T) {
	h := handleless(t)
	for _, math := range []int{CudnnFMAMath, CudnnDefaultMath, CudnnTensorOpMath, CudnnAllowConversionMath} {
		for _, direction := range []CudnnDirection{CudnnForward, CudnnGradData, CudnnGradWeights} {
			z := grouped
			c, err := h.NewConv(direction, CudnnConvShape{X: z.X, W: z.W, Y: z.Y, Pad: z.Pad, Stride: z.Stride, Dilation: z.Dilation, Groups: 2, Math: math})
			if err == nil {
				err = c.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
	bad := CudnnConvShape{X: grouped.X, W: grouped.W, Y: grouped.Y, Pad: grouped.Pad, Stride: []int{0, 1}, Dilation: grouped.Dilation, Groups: 2}
	if _, err := h.NewConv(CudnnForward, bad); err == nil {
		t.Error("a stride of 0 was taken")
	}
}

// Descriptors of matrix products.
func TestProductDescriptors(t *testing.T) {
	ctx := handleless(t).ctx
	lib, err := OpenCublasLt()
	if err != nil {
		t.Skip(err)
	}
	t.Logf("%+v", lib.Info())
	h := &CublasLtHandle{CublasLt: lib, ctx: ctx}
	for i := range 64 {
		on := func(bit int) bool { return i>>bit&1 == 1 }
		z := CublasLtShape{TransA: on(0), TransB: on(1), M: 64, N: 32, K: 48, Compute: CublasCompute32F, Bias: on(2), ReLU: on(3), Add: on(4), Alignment: 16, Workspace: 32 << 20}
		if on(5) {
			z.TypeA, z.TypeB, z.TypeC, z.TypeD, z.TypeBias = CublasBF16, CublasBF16, CublasBF16, CublasBF16, CublasBF16
		} else if on(0) {
			z.Compute = CublasComputeTF32
		}
		m, err := h.NewMatmul(z)
		if err == nil {
			err = m.Close()
		}
		if err != nil {
			t.Errorf("%+v: %v", z, err)
		}
	}
}

// answer is what the real cuDNN says to something that no graph of ours has.
type answer int

const (
	refused  answer = iota
	accepted        // which the stand-in may refuse
	either          // one of the versions accepts it
)

// TestRefusals makes what is wrong. Its answers are those of cuDNN 8.9.7, 9.28.0 and 9.28.1.
func TestRefusals(t *testing.T) {
	h, real := handleless(t), os.Getenv(realVariable) != ""
	for _, c := range wrongs {
		g := &CudnnGraph{h: h}
		err := c.make(g)
		var refusal *CudnnError
		switch {
		case err != nil && !errors.As(err, &refusal):
			t.Errorf("%s: %v", c.name, err)
		case err == nil && c.real == refused:
			t.Errorf("%s: accepted", c.name)
		case err != nil && c.real == accepted && real:
			t.Errorf("%s: %v", c.name, err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

var wrongs = []struct {
	name string
	real answer
	make func(g *CudnnGraph) error
}{
	{"a tensor without dimensions", refused, tensor(map[int]any{attrTensorDims: nil})},
	{"without strides", refused, tensor(map[int]any{attrTensorStrides: nil})},
	{"without alignment", refused, tensor(map[int]any{attrTensorAlignment: nil})},
	{"without a type", accepted, tensor(map[int]any{attrTensorType: nil})},
	{"without a number", accepted, tensor(map[int]any{attrTensorID: nil})},
	{"fewer strides than dimensions", refused, tensor(map[int]any{attrTensorStrides: []int64{60, 20, 5}})},
	{"a dimension of 0", accepted, tensor(map[int]any{attrTensorDims: []int64{2, 0, 4, 5}})},
	{"a dimension of -1", refused, tensor(map[int]any{attrTensorDims: []int64{2, -1, 4, 5}})},
	{"a stride of -20", refused, tensor(map[int]any{attrTensorStrides: []int64{60, -20, 5, 1}})},
	{"nine axes", refused, tensor(map[int]any{attrTensorDims: slices.Repeat([]int64{1}, 9), attrTensorStrides: slices.Repeat([]int64{1}, 9)})},
	{"an alignment of 3", refused, tensor(map[int]any{attrTensorAlignment: int64(3)})},
	{"an alignment of 0", refused, tensor(map[int]any{attrTensorAlignment: int64(0)})},
	{"an int64 as the type", refused, tensor(map[int]any{attrTensorType: int64(0)})},
	{"an int32 as the number", refused, tensor(map[int]any{attrTensorID: int32(1)})},
	{"two numbers", refused, tensor(map[int]any{attrTensorID: []int64{1, 2}})},
	{"a convolution's attribute", refused, tensor(map[int]any{attrConvAxes: int64(2)})},
	{"no value", refused, func(g *CudnnGraph) error {
		b := g.keep(g.h.backend(kindTensor))
		b.set(attrTensorID, typeInt64, 1, nil)
		return b.err
	}},
	{"set when it is finalised", refused, func(g *CudnnGraph) error {
		x, err := g.tensor([]int{2, 3, 4, 5}, CudnnFloat, false)
		b := &backend{h: g.h, at: x.at, err: err}
		b.int64(attrTensorID, 9)
		return b.err
	}},
	{"finalised twice", refused, func(g *CudnnGraph) error {
		x, err := g.tensor([]int{2, 3, 4, 5}, CudnnFloat, false)
		b := &backend{h: g.h, at: x.at, err: err}
		b.finalize()
		return b.err
	}},
	{"an unknown kind", refused, func(g *CudnnGraph) error { return g.keep(g.h.backend(9999)).err }},
	{"pads of three axes", refused, convolve(func(z *CudnnGraphShape) { z.Pad = []int{1, 1, 1} })},
	{"strides of one axis", refused, convolve(func(z *CudnnGraphShape) { z.Stride = []int{1} })},
	{"a stride of 0", refused, convolve(func(z *CudnnGraphShape) { z.Stride = []int{0, 1} })},
	{"a dilation of 0", refused, convolve(func(z *CudnnGraphShape) { z.Dilation = []int{0, 1} })},
	{"a pad of -1", refused, convolve(func(z *CudnnGraphShape) { z.Pad = []int{-1, 1} })},
	{"another number of pictures", refused, operate(func(z *CudnnGraphShape) { z.Y = []int{3, 16, 6, 6} })},
	{"another number of outputs", refused, operate(func(z *CudnnGraphShape) { z.Y = []int{4, 15, 6, 6} })},
	{"another height", refused, operate(func(z *CudnnGraphShape) { z.Y = []int{4, 16, 7, 6} })},
	{"another height of a gradient", refused, operate(func(z *CudnnGraphShape) { z.Y, z.Direction = []int{4, 16, 7, 6}, CudnnGradData })},
	{"channels that do not divide", refused, operate(func(z *CudnnGraphShape) { z.W = []int{16, 3, 3, 3} })},
	{"outputs that do not divide", refused, operate(func(z *CudnnGraphShape) { z.W, z.Y = []int{15, 4, 3, 3}, []int{4, 15, 6, 6} })},
	{"a tensor that is not finalised", refused, func(g *CudnnGraph) error {
		return pointwise(g, pointwiseAdd, true, func(g *CudnnGraph) (node, error) { return node{at: g.keep(g.h.backend(kindTensor)).at}, nil })
	}},
	{"an addition of one tensor", refused, func(g *CudnnGraph) error { return pointwise(g, pointwiseAdd, false, same) }},
	{"a ReLU of two tensors", accepted, func(g *CudnnGraph) error { return pointwise(g, pointwiseReLU, true, same) }},
	{"a sum of another shape", either, func(g *CudnnGraph) error {
		return pointwise(g, pointwiseAdd, true, func(g *CudnnGraph) (node, error) { return g.tensor([]int{2, 3, 4, 6}, CudnnFloat, false) })
	}},
}

// tensor makes a good tensor but for the changes; nil leaves an attribute out.
func tensor(changes map[int]any) func(g *CudnnGraph) error {
	return func(g *CudnnGraph) error {
		b := g.keep(g.h.backend(kindTensor))
		values := map[int]any{attrTensorType: int32(CudnnFloat), attrTensorDims: []int64{2, 3, 4, 5}, attrTensorStrides: []int64{60, 20, 5, 1},
			attrTensorID: int64(1), attrTensorAlignment: int64(tensorAlignment)}
		for attribute, v := range changes {
			values[attribute] = v
		}
		for attribute, v := range values {
			switch v := v.(type) {
			case int32:
				b.int32(attribute, typeDataType, v)
			case int64:
				b.int64(attribute, v)
			case []int64:
				b.int64s(attribute, v)
			}
		}
		b.finalize()
		return b.err
	}
}

// convolve makes a convolution with a change.
func convolve(change func(z *CudnnGraphShape)) func(g *CudnnGraph) error {
	return func(g *CudnnGraph) error {
		z := grouped
		z.Stride = []int{1, 1}
		axes := int64(len(z.Pad))
		change(&z)
		b := g.keep(g.h.backend(kindConvolution))
		b.int32(attrConvCompute, typeDataType, CudnnFloat)
		b.int32(attrConvMode, typeConvMode, cudnnCrossCorrelation)
		b.int64(attrConvAxes, axes)
		for attribute, v := range map[int][]int{attrConvPrePaddings: z.Pad, attrConvPostPaddings: z.Pad, attrConvStrides: z.Stride, attrConvDilations: z.Dilation} {
			b.int64s(attribute, int64s(v))
		}
		b.finalize()
		return b.err
	}
}

// operate makes a convolution of tensors with a change.
func operate(change func(z *CudnnGraphShape)) func(g *CudnnGraph) error {
	return func(g *CudnnGraph) error {
		z := grouped
		change(&z)
		_, err := g.operations(z)
		return err
	}
}

func same(g *CudnnGraph) (node, error) { return g.tensor([]int{2, 3, 4, 5}, CudnnFloat, false) }

// pointwise makes a pointwise operation whose result, and second tensor, result makes.
func pointwise(g *CudnnGraph, mode int32, two bool, result func(g *CudnnGraph) (node, error)) error {
	x, err := same(g)
	if err != nil {
		return err
	}
	y, err := result(g)
	if err != nil {
		return err
	}
	second := &x
	if !two {
		second = nil
	}
	_, err = g.pointwise(mode, 0, x, second, y)
	return err
}

// The table's own check: what it changes is refused for the change alone.
func TestRefusalsBeginWithWhatIsTaken(t *testing.T) {
	g := &CudnnGraph{h: handleless(t)}
	for name, make := range map[string]func(g *CudnnGraph) error{
		"tensor": tensor(nil), "convolution": convolve(func(*CudnnGraphShape) {}), "operation": operate(func(*CudnnGraphShape) {}),
		"sum": func(g *CudnnGraph) error { return pointwise(g, pointwiseAdd, true, same) },
	} {
		if err := make(g); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}
