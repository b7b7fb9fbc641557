package enginetest

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// Bench measures an engine on a few ops of known nets, in the layouts that it
// prefers. An engine's own benchmark is one line:
//
//	func BenchmarkOps(b *testing.B) { enginetest.Bench(b, cpu.Open) }
func Bench(b *testing.B, open Open) {
	g := newSource("bench")
	one := []int{1, 1}
	res3, _ := newGeometry(8, 64, 64, 1, []int{56, 56}, []int{3, 3}, one, one, one)
	res1, _ := newGeometry(8, 256, 64, 1, []int{56, 56}, one, one, []int{0, 0}, one)
	pool := newPooling(engine.MaxPool, engine.Shape{8, 64, 112, 112}, []int{3, 3}, []int{2, 2}, []int{0, 0}, true)
	wide := res3.x
	for _, z := range []struct {
		name string
		c    Case
		work float64 // multiplications and additions, 0 where memory is what counts
	}{
		{"Conv3x3", convCase(g, res3, false), res3.work()},
		{"Conv3x3GradData", convGradDataCase(g, res3, false), res3.work()},
		{"Conv3x3GradWeights", convGradWeightsCase(g, res3, true), res3.work()},
		{"Conv1x1", convCase(g, res1, false), res1.work()},
		{"Gemm", g.gemm(engine.Gemm{TransB: true}, 64, 1024, 2048, false), 2 * 64 * 1024 * 2048},
		{"MaxPool", Case{Op: pool.op, In: []Tensor{g.values(pool.x...)}}, 0},
		{"ReLU", Case{Op: engine.Unary{}, In: []Tensor{g.values(wide...)}}, 0},
		{"BatchNorm", Case{Op: engine.BatchNorm{Eps: 1e-5}, In: []Tensor{g.values(wide...)}}, 0},
	} {
		b.Run(z.name, func(b *testing.B) { newRig(b, open, engine.PrecisionFP32).bench(b, &z.c, z.work) })
	}
}

// work is the number of operations of a convolution.
func (z geometry) work() float64 { return 2 * float64(z.y.Count()) * float64(z.w[1:].Count()) }

// bench repeats one launch.
func (r *rig) bench(b *testing.B, c *Case, work float64) {
	m := mode{unread: -1, layouts: r.layouter != nil, blocked: r.layouter != nil}
	in, out, err := r.upload(c.Op, c.In, c.From, m)
	if err != nil {
		b.Fatal(err)
	}
	results, k, err := r.apply(c.Op, in, out, nil)
	if err != nil {
		b.Skip(err)
	}
	var bytes int64
	for _, p := range append(in, results...) {
		bytes += p.buf.Bytes()
	}
	b.SetBytes(bytes)
	for b.Loop() {
		if err := r.launch(k, in, results); err != nil {
			b.Fatal(err)
		}
	}
	if work > 0 {
		b.ReportMetric(work*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	}
	if err := r.release(); err != nil {
		b.Fatal(err)
	}
}
