package engine

// Gemm is a matrix product C = op(A)·op(B), op transposing where asked.
//
//	in:  A (M, K) or (K, M) if TransA, B (K, N) or (N, K) if TransB, epilogue inputs
//	out: C (M, N); the epilogue's bias has N entries
type Gemm struct {
	TransA, TransB bool
	Epilogue       Epilogue
}

// Infer implements Op.
func (op Gemm) Infer(in []Desc) ([]Desc, error) {
	if len(in) < 2 || len(in[0].Shape) != 2 || len(in[1].Shape) != 2 {
		return nil, inferError(op, "takes two matrices, got %v", in)
	}
	a, b := in[0].Shape, in[1].Shape
	m, k := a[0], a[1]
	if op.TransA {
		m, k = k, m
	}
	k2, n := b[0], b[1]
	if op.TransB {
		k2, n = n, k2
	}
	if k != k2 {
		return nil, inferError(op, "inner sizes differ: A is %v, B is %v", a, b)
	}
	out := Dense(m, n)
	return []Desc{out}, op.Epilogue.check(op, in[2:], out, n)
}
