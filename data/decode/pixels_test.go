package decode

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The vector code and the Go code agree bit for bit, at every width and step.
func TestPixelsEqualGo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for width := 1; width < 70; width++ {
		for _, channels := range []int{1, 2, 3, 4} {
			size := 1 + r.IntN(90)
			row := make([]byte, size*channels)
			for i := range row {
				row[i] = byte(r.Uint32())
			}
			taps := horizontalTaps(nil, size, width)
			n := width * channels
			got, want := make([]int32, n), make([]int32, n)
			stretch(got, row, taps, size, channels)
			stretchGo(want, row, taps, size, channels)
			if !slices.Equal(got, want) {
				t.Fatalf("stretch %d to %d, %d channels: %v, want %v", size, width, channels, got, want)
			}
			other := make([]int32, n)
			for i := range other {
				other[i] = r.Int32N(255 << coefBits)
			}
			out, outWant := make([]byte, n), make([]byte, n)
			w := r.Int32N(1<<coefBits + 1)
			blend(out, got, other, w, 1<<coefBits-w)
			blendGo(outWant, got, other, w, 1<<coefBits-w)
			if !slices.Equal(out, outWant) {
				t.Fatalf("blend of %d: %v, want %v", n, out, outWant)
			}
		}
	}
}

func TestPlaceEqualsGo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows = 3
	for columns := 1; columns < 70; columns++ {
		for _, step := range []int{1, 2, 3, 4} {
			for _, withImage := range []bool{false, true} {
				for _, reverse := range []bool{false, true} {
					p := Placing{Rows: rows, Columns: columns, Step: step, RowStep: columns*step + 5, Mean: []float32{103.939}, Scale: 0.0171, Reverse: reverse}
					if withImage {
						p.MeanStep = columns + 2
						p.Mean = make([]float32, rows*p.MeanStep)
						for i := range p.Mean {
							p.Mean[i] = r.Float32() * 255
						}
					}
					src := make([]byte, rows*p.RowStep)
					for i := range src {
						src[i] = byte(r.Uint32())
					}
					got, want := make([]float32, rows*columns), make([]float32, rows*columns)
					Place(got, src, p)
					placeGo(want, src, p)
					if !slices.Equal(got, want) {
						t.Fatalf("%+v: %v, want %v", p, got, want)
					}
				}
			}
		}
	}
}
