//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

func init() { registerAny(prepareGemm) }

// prepareGemm is cuBLASLt's: its matrices are column-major, so that ours are their
// transposes, and C = op(A)·op(B) is asked for as Cᵀ = op(B)ᵀ·op(A)ᵀ, which needs no copy.
// A bias over our columns is then one over its rows, which is what it adds.
func prepareGemm(d *device, op engine.Gemm, in, out []engine.Desc) (*kernel, error) {
	if out[0].DType == engine.None {
		return nil, unsupported(op, "nobody reads it")
	}
	for _, t := range append(append([]engine.Desc{}, in...), out[0]) {
		if t.Layout != engine.Plain {
			return nil, unsupported(op, "tensors in layouts of the device's own")
		}
	}
	b := newBuild(d, op, in, out)
	fused := op.Epilogue.Inputs() > 0 || op.Epilogue.Act != engine.ActNone
	a, err := d.multiply(op, in, out[0], fused)
	if fused && isUnsupported(err) {
		fused = false
		a, err = d.multiply(op, in[:2], out[0], false)
	}
	if err != nil {
		return nil, d.refused(op, err)
	}
	ins := []pointer{input(0), input(1)}
	if fused {
		for i := range op.Epilogue.Inputs() {
			ins = append(ins, input(2+i))
		}
	}
	b.addAlgo(a, ins, output(0))
	if !fused {
		b.addEpilogue(op.Epilogue, out[0], in[2:], 2)
	}
	return b.kernel()
}

// multiply finds the best algo of a product, with its epilogue or without.
func (d *device) multiply(op engine.Gemm, in []engine.Desc, out engine.Desc, fused bool) (*algo, error) {
	e := op.Epilogue
	if !fused {
		e = engine.Epilogue{}
	}
	if e.Act == engine.ActReLU && e.Slope != 0 {
		return nil, unsupported(op, "a ReLU with a slope in the product's kernel")
	}
	h, err := d.cublaslt()
	if err != nil {
		return nil, err
	}
	z := d.product(op, e, in, out)
	m, err := h.NewMatmul(z)
	if err != nil {
		return nil, err
	}
	list, err := m.Algos()
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	var proposals []proposal
	for _, o := range list {
		name := "product " + o.Name()
		proposals = append(proposals, proposal{name: name, make: func() (*algo, error) {
			return &algo{name: name, workspace: o.Workspace, close: func() error { return nil },
				run: func(q *shim.Stream, in []uint64, out, workspace uint64) error {
					var add, bias uint64
					rest := in[2:]
					if e.Bias {
						bias, rest = rest[0], rest[1:]
					}
					if e.Add {
						add = rest[0]
					}
					return m.Run(q, &o, in[1], in[0], add, out, bias, workspace, o.Workspace)
				}}, nil
		}})
	}
	p := problem{op: op, key: fmt.Sprintf("%T %+v %v %v %s fused %t", op, op, in, out, d.precision, fused), work: int64(z.M) * int64(z.N) * int64(z.K)}
	for _, t := range append(append([]engine.Desc{}, in...), out) {
		p.bytes = append(p.bytes, t.Bytes())
	}
	a, err := d.choose(p, proposals)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	a.close = m.Close
	return a, nil
}

// product is the op in cuBLASLt's words: its A is our B.
func (d *device) product(op engine.Gemm, e engine.Epilogue, in []engine.Desc, out engine.Desc) shim.CublasLtShape {
	k := in[0].Shape[1]
	if op.TransA {
		k = in[0].Shape[0]
	}
	z := shim.CublasLtShape{TransA: op.TransB, TransB: op.TransA, M: out.Shape[1], N: out.Shape[0], K: k,
		TypeA: cublasType(in[1]), TypeB: cublasType(in[0]), TypeC: cublasType(out), TypeD: cublasType(out),
		Compute: shim.CublasCompute32F, Add: e.Add, Bias: e.Bias, ReLU: e.Act == engine.ActReLU,
		Alignment: engine.Align, Workspace: gemmWorkspace}
	if d.precision == engine.PrecisionTF32 && in[0].DType == engine.F32 && in[1].DType == engine.F32 {
		z.Compute = shim.CublasComputeTF32
	}
	rest := in[2:]
	if e.Bias {
		z.TypeBias, rest = cublasType(rest[0]), rest[1:]
	}
	if e.Add {
		z.TypeC = cublasType(rest[0])
	}
	return z
}

// gemmWorkspace is what NVIDIA recommends for its newer GPUs.
const gemmWorkspace = 32 << 20

func cublasType(t engine.Desc) int {
	if t.DType == engine.BF16 {
		return shim.CublasBF16
	}
	return shim.CublasF32
}
