package engine

import "math"

// RandomMask draws what Dropout multiplies by: 1/(1 − Ratio) with probability 1 − Ratio,
// else 0. Its numbers are those of Philox4x32-10 (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011) whose key is the seed and whose counter is
// the element's index over 4, so that every engine draws the same, in any order. It
// has no gradient.
//
//	in:  seed (SeedSize entries, each a whole number below 2^16, the low ones first)
//	out: mask of shape Shape
type RandomMask struct {
	Ratio float32 // at least 0 and less than 1
	Shape Ints
}

// SeedSize is how many entries a seed has: 64 bits, in numbers that float32 holds.
const SeedSize = 4

// Infer implements Op.
func (op RandomMask) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	if n := in[0].Shape.Count(); n != SeedSize {
		return nil, inferError(op, "the seed has shape %v, want %d entries", in[0].Shape, SeedSize)
	}
	if !(op.Ratio >= 0 && op.Ratio < 1) {
		return nil, inferError(op, "ratio %g: want at least 0 and less than 1", op.Ratio)
	}
	return []Desc{Dense(op.Shape.List()...)}, nil
}

// Kept is the numbers below which an element is kept, and what it is multiplied by.
func (op RandomMask) Kept() (below uint64, scale float32) {
	keep := 1 - float64(op.Ratio)
	return uint64(keep*math.MaxUint32) + 1, float32(1 / keep)
}

// MaskDrawer is a Device that draws random masks faster than the host can send them. Package
// net asserts it and nobody else.
type MaskDrawer interface{ DrawsMasks() }
