package filler

import (
	"fmt"
	"math"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// uniform draws from U[min, max].
func uniform(p *caffepb.FillerParameter, b blob, r *rng.Source) error {
	lo, hi := p.GetMin(), p.GetMax()
	if !finite(lo) || !finite(hi) || lo > hi {
		return fmt.Errorf("uniform filler: min: %g must not exceed max: %g (its default is 1)", lo, hi)
	}
	r.Uniform(b.data, lo, hi)
	return nil
}

// gaussian draws from N(mean, std²). With sparse ≥ 0 each value is kept with probability sparse/shape[0], so that sparse is the
// expected number of nonzero inputs of an output of a square layer; these draws follow those of all values.
func gaussian(p *caffepb.FillerParameter, b blob, r *rng.Source) error {
	if std := p.GetStd(); !(std > 0) || !finite(std) || !finite(p.GetMean()) {
		return fmt.Errorf("gaussian filler: std: %g must be positive, and it and mean: %g finite; for equal values use \"constant\"", std, p.GetMean())
	}
	sparse := int(p.GetSparse())
	if sparse < -1 {
		return fmt.Errorf("gaussian filler: sparse: %d must be -1 (off) or the number of nonzero weights per output", sparse)
	}
	if sparse >= 0 && (len(b.shape) == 0 || sparse > b.shape[0]) {
		return fmt.Errorf("gaussian filler: sparse: %d must not exceed the first dimension of the blob's shape %v", sparse, b.shape)
	}
	r.Gaussian(b.data, p.GetMean(), p.GetStd())
	if sparse == -1 {
		return nil
	}
	keep := make([]float32, len(b.data))
	r.Bernoulli32(keep, float32(sparse)/float32(b.shape[0]))
	for i, k := range keep {
		b.data[i] *= k
	}
	return nil
}

// positiveUnitball draws from U(0, 1), then divides so that each slice of the first axis sums to 1.
func positiveUnitball(_ *caffepb.FillerParameter, b blob, r *rng.Source) error {
	if len(b.shape) == 0 {
		return errNoAxes("positive_unitball")
	}
	r.Uniform(b.data, 0, 1)
	dim := len(b.data) / b.shape[0]
	for row := b.data; len(row) > 0; row = row[dim:] {
		var sum float32
		for _, v := range row[:dim] {
			sum += v
		}
		for i := range row[:dim] {
			row[i] /= sum
		}
	}
	return nil
}

// xavier draws from U(−a, a), a = √(3/n): variance 1/n (Glorot and Bengio 2010).
func xavier(p *caffepb.FillerParameter, b blob, r *rng.Source) error {
	if len(b.shape) == 0 {
		return errNoAxes("xavier")
	}
	a := sqrt(3 / fan(p, b.shape))
	r.Uniform(b.data, -a, a)
	return nil
}

// msra draws from N(0, 2/n) (He et al. 2015, for ReLU).
func msra(p *caffepb.FillerParameter, b blob, r *rng.Source) error {
	if len(b.shape) == 0 {
		return errNoAxes("msra")
	}
	r.Gaussian(b.data, 0, sqrt(2/fan(p, b.shape)))
	return nil
}

// fan is the n of xavier and msra: the weights that one output sees (FAN_IN), those that one input feeds (FAN_OUT), or their
// average. It is read off the raw shape (outputs, inputs, …), so that it is the other one for a Deconvolution and for an
// InnerProduct with transpose, whose blobs start with the inputs.
func fan(p *caffepb.FillerParameter, shape []int) float32 {
	count := 1
	for _, d := range shape {
		count *= d
	}
	in, out := count/shape[0], count
	if len(shape) > 1 {
		out = count / shape[1]
	}
	switch p.GetVarianceNorm() {
	case caffepb.FillerParameter_FAN_OUT:
		return float32(out)
	case caffepb.FillerParameter_AVERAGE:
		return float32(in+out) / 2
	}
	return float32(in)
}

func errNoAxes(name string) error {
	return fmt.Errorf("%s filler: a scalar blob has no axes to count inputs or outputs by; use \"constant\" or \"gaussian\"", name)
}

func finite(x float32) bool { return x-x == 0 }

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
