//go:build cgo && linux

package cuda

import (
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// argBytes is the size of the struct that each of our kernels takes, by name.
var argBytes = map[string]uintptr{}

// program is one of our kernels in all its forms, which take an A.
type program[A any] string

// declare names a kernel and its forms; none means one form without a suffix.
func declare[A any](name string, forms ...string) program[A] {
	if len(forms) == 0 {
		forms = []string{""}
	}
	for _, f := range forms {
		argBytes[name+f] = unsafe.Sizeof(*new(A))
	}
	return program[A](name)
}

// build puts a prepared op together: the launches it is made of, its workspace and
// the flags that its kernels raise. The first error sticks.
type build struct {
	d         *device
	op        engine.Op
	steps     []func(l *launch) error
	workspace int64
	releases  []func() error
	err       error
}

// newBuild begins with what all our kernels ask of tensors.
func newBuild(d *device, op engine.Op, in, out []engine.Desc) *build {
	b := &build{d: d, op: op}
	for _, t := range append(append([]engine.Desc{}, in...), out...) {
		if t.Shape.Count() > maxElements {
			b.fail(unsupported(op, fmt.Sprintf("a tensor of %v: kernels count to 2^31", t.Shape)))
		}
	}
	return b
}

func (b *build) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// kernel is what was built.
func (b *build) kernel() (*kernel, error) {
	if b.err != nil {
		for _, release := range b.releases {
			b.err = joinFailed(b.d, b.err, release())
		}
		return nil, b.err
	}
	steps := b.steps
	k := &kernel{workspace: b.workspace, run: func(l *launch) error {
		for _, step := range steps {
			if err := step(l); err != nil {
				return err
			}
		}
		return nil
	}}
	if releases := b.releases; len(releases) > 0 {
		k.close = func() error {
			for _, release := range releases {
				if err := release(); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return k, nil
}

// pointer is an address that a launch knows.
type pointer func(l *launch) uint64

func input(i int) pointer  { return func(l *launch) uint64 { return l.in[i] } }
func output(i int) pointer { return func(l *launch) uint64 { return l.out[i] } }

// at is the address, 0 of nil.
func (p pointer) at(l *launch) uint64 {
	if p == nil {
		return 0
	}
	return p(l)
}

// scratch reserves workspace.
func (b *build) scratch(bytes int) pointer {
	at := uint64(b.workspace)
	b.workspace += int64(bytes+engine.Align-1) / engine.Align * engine.Align
	return func(l *launch) uint64 { return l.workspace + at }
}

// kept is output i, or scratch of n float32 where nobody reads it.
func (b *build) kept(out []engine.Desc, i, n int) pointer {
	if out[i].DType == engine.None {
		return b.scratch(4 * n)
	}
	return output(i)
}

// flag is the address of a word where kernels report bad data.
func (b *build) flag(say func(item int, value float32) error) uint64 {
	if b.err != nil {
		return 0
	}
	at, release, err := b.d.flag(say)
	if err != nil {
		b.fail(err)
		return 0
	}
	b.releases = append(b.releases, release)
	return at
}

// add adds the launch of a kernel on a grid.
func add[A any](b *build, p program[A], form string, blocks, threads int, args func(l *launch) A) {
	if b.err != nil {
		return
	}
	name := string(p) + form
	if _, ok := argBytes[name]; !ok {
		b.fail(unsupported(b.op, "no kernel "+name))
		return
	}
	k, err := b.d.launcher(name, blocks, threads, 0)
	if err != nil {
		b.fail(err)
		return
	}
	b.steps = append(b.steps, func(l *launch) error {
		a := args(l)
		return start(l, k, &a)
	})
}

// each adds a kernel whose threads take n elements one by one.
func each[A any](b *build, p program[A], form string, n int, args func(l *launch) A) {
	add(b, p, form, b.d.blocksFor(n, blockSize), blockSize, args)
}

// packs adds a kernel whose threads take n elements by 16 bytes.
func packs[A any](b *build, p program[A], form string, n int, args func(l *launch) A) {
	size := 4
	if form == formBF16 {
		size = 8
	}
	each(b, p, form, (n+size-1)/size, args)
}

// The forms of a kernel that works on rows, before that of the element type.
const (
	byBlocks  = "_blocks"  // a block takes a row
	byThreads = "_threads" // a thread takes a row; rows lie side by side
)

// rowForms are the names of such a kernel.
func rowForms(types ...string) []string {
	var forms []string
	for _, t := range types {
		forms = append(forms, byBlocks+t, byThreads+t)
	}
	return forms
}

// rows adds a kernel that works along the middle axis.
func rows[A any](b *build, p program[A], form string, z axes, args func(l *launch) A) {
	n := z.outer * z.inner
	if z.inner >= 32 || z.mid <= 8 {
		each(b, p, byThreads+form, n, args)
		return
	}
	threads := blockOf(z.mid, 256)
	add(b, p, byBlocks+form, b.d.blocksFor(n*threads, threads), threads, args)
}

// single adds a kernel that is one block, working on n elements.
func single[A any](b *build, p program[A], form string, n int, args func(l *launch) A) {
	add(b, p, form, 1, blockOf(n, 1024), args)
}

// blockOf is a block for n elements: whole warps, limit threads at most.
func blockOf(n, limit int) int { return min(max((n+31)/32*32, 32), limit) }

type fillArgs struct {
	Y       uint64
	N, Bits uint32
}

var fill = declare[fillArgs]("fill")

// set adds the writing of one word to n places.
func (b *build) set(to pointer, n int, bits uint32) {
	each(b, fill, "", n, func(l *launch) fillArgs { return fillArgs{to(l), uint32(n), bits} })
}
