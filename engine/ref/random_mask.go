package ref

import (
	"math/bits"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareRandomMask) }

func prepareRandomMask(op engine.RandomMask, _, _ []engine.Desc) (compute, error) {
	below, scale := op.Kept()
	return func(l *launch) error {
		seed, y := l.in[0], l.out[0]
		key := [2]uint32{uint32(seed[0]) | uint32(seed[1])<<16, uint32(seed[2]) | uint32(seed[3])<<16}
		for i := range y {
			if y[i] = 0; uint64(philox([4]uint32{uint32(i / 4)}, key)[i%4]) < below {
				y[i] = scale
			}
		}
		return nil
	}, nil
}

// philox is Philox4x32-10: four random numbers for a counter and a key.
func philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	c := counter
	for range 10 {
		high0, low0 := bits.Mul32(0xd2511f53, c[0])
		high1, low1 := bits.Mul32(0xcd9e8d57, c[2])
		c = [4]uint32{high1 ^ c[1] ^ key[0], low1, high0 ^ c[3] ^ key[1], low0}
		key[0] += 0x9e3779b9
		key[1] += 0xbb67ae85
	}
	return c
}
