package ref

import "github.com/gocaffe/gocaffe/engine"

func init() { register(prepareGemm) }

// gemmRows is how many rows of C are computed together, so that what is read of
// B serves all of them.
const gemmRows = 8

func prepareGemm(op engine.Gemm, in, out []engine.Desc) (compute, error) {
	m, n := out[0].Shape[0], out[0].Shape[1]
	k := in[0].Shape.Count()
	if m > 0 {
		k /= m
	}
	return func(l *launch) error {
		g := gemm{op: op, m: m, n: n, k: k, a: l.in[0], b: l.in[1], c: l.out[0], finish: newEpilogue(op.Epilogue, l.in[2:])}
		l.each((m+gemmRows-1)/gemmRows, func(i int) {
			g.rows(i*gemmRows, min((i+1)*gemmRows, m))
		})
		return nil
	}, nil
}

type gemm struct {
	op      engine.Gemm
	m, n, k int
	a, b, c []float32
	finish  epilogue
}

// rows computes rows lo … hi-1 of C.
func (g *gemm) rows(lo, hi int) {
	acc := make([]float64, (hi-lo)*g.n)
	if g.op.TransB {
		g.dots(acc, lo, hi)
	} else {
		g.sums(acc, lo, hi)
	}
	for i, v := range acc {
		at := lo*g.n + i
		g.c[at] = g.finish.at(v, i%g.n, at)
	}
}

// sums adds the rows of B, weighted by the elements of A.
func (g *gemm) sums(acc []float64, lo, hi int) {
	for p := range g.k {
		row := g.b[p*g.n : (p+1)*g.n]
		for i := lo; i < hi; i++ {
			axpy(acc[(i-lo)*g.n:], float64(g.at(i, p)), row)
		}
	}
}

// dots multiplies rows of A by rows of the transposed B.
func (g *gemm) dots(acc []float64, lo, hi int) {
	rows := make([]float32, (hi-lo)*g.k)
	for i := lo; i < hi; i++ {
		for p := range g.k {
			rows[(i-lo)*g.k+p] = g.at(i, p)
		}
	}
	for j := range g.n {
		b := g.b[j*g.k : (j+1)*g.k]
		for i := range hi - lo {
			acc[i*g.n+j] = dot(rows[i*g.k:(i+1)*g.k], b)
		}
	}
}

// at is element (i, p) of op(A).
func (g *gemm) at(i, p int) float32 {
	if g.op.TransA {
		return g.a[p*g.m+i]
	}
	return g.a[i*g.k+p]
}

// axpy adds a·x to y.
func axpy(y []float64, a float64, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += a * float64(v)
	}
}

// dot is Σ x·y, in four sums so that an addition need not wait for the last.
func dot(x, y []float32) float64 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += float64(x[i]) * float64(y[i])
		s1 += float64(x[i+1]) * float64(y[i+1])
		s2 += float64(x[i+2]) * float64(y[i+2])
		s3 += float64(x[i+3]) * float64(y[i+3])
	}
	for ; i < len(x); i++ {
		s0 += float64(x[i]) * float64(y[i])
	}
	return s0 + s1 + s2 + s3
}
