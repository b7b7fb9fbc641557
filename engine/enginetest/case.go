package enginetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
)

// Tensor is a dense row-major tensor on the host.
type Tensor struct {
	Shape engine.Shape
	Data  []float32
	Bytes bool // the values are stored as U8
}

// Case is one op with the values of its inputs.
type Case struct {
	Op  engine.Op
	In  []Tensor
	Tol float64 // 0: Tolerance
	// Winograd marks a convolution whose factors an engine may transform and round to BF16
	// again: output 0 has errors of the size of all terms of its sums, not of the result.
	Winograd bool

	// From gives inputs that only the engine itself can make, by their index:
	// outputs of another op, run on the same engine. Their In is unused.
	From map[int]Source

	// Opaque lists outputs whose content is the engine's own.
	Opaque []int

	// Alias lists, by output, the input that it is always written over.
	Alias []int

	// Writes lists inputs that the op overwrites besides those in Alias.
	Writes []int
}

// Source is an output of an op.
type Source struct {
	Op  engine.Op
	In  []Tensor
	Out int
}

// mode is one way to run a case.
type mode struct {
	name    string
	layouts bool // in the layouts that the engine prefers
	blocked bool // given the layouts that a convolution prefers
	inPlace bool // output 0 over the input that InPlace names
	unread  int  // the output that has a zero Desc, or -1
	narrow  bool // with BF16 wherever engine.Narrow allows it
	wide    bool // but with float32 outputs
}

// name describes the case in the output of go test.
func (c *Case) name() string {
	var shapes []string
	for _, t := range c.In {
		shapes = append(shapes, strings.ReplaceAll(t.Shape.String(), " ", "x"))
	}
	return strings.ReplaceAll(fmt.Sprintf("%+v(%s)", c.Op, strings.Join(shapes, ",")), " ", "_")
}

// inPlace is the input that output 0 may be written over, or -1.
func inPlace(op engine.Op) int {
	if p, ok := op.(engine.InPlacer); ok {
		return p.InPlace()
	}
	return -1
}

// modes lists the ways to run a case.
func (c *Case) modes(layouts bool) []mode {
	list := []mode{{name: "plain", unread: -1}}
	if inPlace(c.Op) >= 0 {
		list = append(list, mode{name: "in place", inPlace: true, unread: -1})
	}
	if n := c.outputs(); n > 1 && c.Alias == nil {
		for i := range n {
			list = append(list, mode{name: fmt.Sprintf("output %d unread", i), unread: i})
		}
	}
	if !layouts {
		return list
	}
	for _, m := range slices.Clone(list) {
		own, after := m, m
		own.name, own.layouts = "own layouts, "+m.name, true
		after.name, after.layouts, after.blocked = "after a convolution, "+m.name, true, true
		list = append(list, own, after)
	}
	return list
}

// descs are the plain descriptors of the inputs.
func (c *Case) descs() []engine.Desc { return descsOf(c.In) }

func descsOf(in []Tensor) []engine.Desc {
	var d []engine.Desc
	for _, t := range in {
		d = append(d, t.desc())
	}
	return d
}

func (t Tensor) desc() engine.Desc {
	d := engine.Dense(t.Shape...)
	if t.Bytes {
		d.DType = engine.U8
	}
	return d
}

// content is the memory of the tensor.
func (t Tensor) content() []byte {
	if !t.Bytes {
		return bytesOf(t.Data)
	}
	b := make([]byte, len(t.Data))
	for i, v := range t.Data {
		b[i] = byte(v)
	}
	return b
}

// outputs is the number of outputs.
func (c *Case) outputs() int {
	out, err := c.Op.Infer(c.descs())
	if err != nil {
		return 0
	}
	return len(out)
}

// result is what a run left: nil for what is opaque or unread.
type result struct {
	out     [][]float32
	written [][]float32 // the inputs of Case.Writes
}

// compare holds a result against ref's.
func (c *Case) compare(got, want result, m mode) error {
	for i, w := range want.out {
		if i == m.unread || slices.Contains(c.Opaque, i) {
			continue
		}
		check := near
		if c.Winograd && m.narrow && i == 0 {
			check = nearOverall
		}
		if err := check(got.out[i], w, c.tolerance(i, m)); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	for i, w := range want.written {
		if err := near(got.written[i], w, c.Tol); err != nil {
			return fmt.Errorf("input %d after the run: %w", c.Writes[i], err)
		}
	}
	return nil
}

// near checks that a is within the tolerance of b everywhere.
func near(a, b []float32, tol float64) error {
	if tol == 0 {
		tol = Tolerance
	}
	if len(a) != len(b) {
		return fmt.Errorf("%d elements, want %d", len(a), len(b))
	}
	for i := range b {
		x, y := float64(a[i]), float64(b[i])
		if x == y || (x != x && y != y) {
			continue
		}
		if d := x - y; !(max(d, -d) <= tol*max(1, y, -y)) {
			return fmt.Errorf("element %d of %d is %g, ref has %g", i, len(b), x, y)
		}
	}
	return nil
}

// uniform is a tensor of values in [lo, hi).
func (g *source) uniform(lo, hi float64, shape ...int) Tensor {
	t := Tensor{Shape: shape, Data: make([]float32, engine.Shape(shape).Count())}
	for i := range t.Data {
		t.Data[i] = float32(lo + (hi-lo)*g.Float64())
	}
	return t
}

// values is a tensor of values in [−1, 1).
func (g *source) values(shape ...int) Tensor { return g.uniform(-1, 1, shape...) }

// steps is a tensor of few different values, so that many are equal.
func (g *source) steps(shape ...int) Tensor {
	t := g.values(shape...)
	for i := range t.Data {
		t.Data[i] = float32(g.IntN(5)-2) * 0.5
	}
	return t
}

// labels is a tensor of integers from lo to hi-1.
func (g *source) labels(lo, hi int, shape ...int) Tensor {
	t := g.values(shape...)
	for i := range t.Data {
		t.Data[i] = float32(lo + g.IntN(hi-lo))
	}
	return t
}

// between is an integer from lo to hi.
func (g *source) between(lo, hi int) int { return lo + g.IntN(hi-lo+1) }

// coin is true half of the time.
func (g *source) coin() bool { return g.IntN(2) == 0 }

// pick is one of the values.
func pick[T any](g *source, v ...T) T { return v[g.IntN(len(v))] }
