package ref

import (
	"math"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// The known answers that the authors' library Random123 gives for Philox4x32-10.
func TestPhilox(t *testing.T) {
	const all = 0xffffffff
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{all, all, all, all}, [2]uint32{all, all}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(c.counter, c.key); got != c.want {
			t.Errorf("philox(%08x, %08x) is %08x, want %08x", c.counter, c.key, got, c.want)
		}
	}
}

// draw is the mask of a seed.
func draw(t *testing.T, ratio float32, n int, seed ...float32) []float32 {
	t.Helper()
	run, err := prepareRandomMask(engine.RandomMask{Ratio: ratio, Shape: engine.IntsOf(n)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float32, n)
	if err := run(&launch{in: [][]float32{seed}, out: [][]float32{y}, threads: 1}); err != nil {
		t.Fatal(err)
	}
	return y
}

// As many elements are kept as the ratio says, and the masks of two seeds, and neighbours in
// one, have nothing to do with each other: all within five standard deviations.
func TestRandomMask(t *testing.T) {
	const n = 400_000
	for _, ratio := range []float32{0.1, 0.5, 0.8} {
		keep := 1 - float64(ratio)
		a, b := draw(t, ratio, n, 1, 0, 0, 0), draw(t, ratio, n, 2, 0, 0, 0)
		kept, both, next := 0, 0, 0
		for i := range a {
			if a[i] != 0 && a[i] != float32(1/keep) {
				t.Fatalf("ratio %g: an element is %g", ratio, a[i])
			}
			if a[i] == 0 {
				continue
			}
			kept++
			if b[i] != 0 {
				both++
			}
			if a[(i+1)%n] != 0 {
				next++
			}
		}
		within := func(what string, got int, p float64) {
			if sigma := math.Sqrt(n * p * (1 - p)); math.Abs(float64(got)-n*p) > 5*sigma {
				t.Errorf("ratio %g: %s %d of %d, want %g", ratio, what, got, n, n*p)
			}
		}
		within("kept", kept, keep)
		within("kept by two seeds", both, keep*keep)
		within("kept with the next", next, keep*keep)
	}
	for i, v := range draw(t, 0, 1000, 65535, 65535, 65535, 65535) {
		if v != 1 {
			t.Fatalf("ratio 0: element %d is %g", i, v)
		}
	}
}
