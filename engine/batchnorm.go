package engine

// BatchNorm normalises each channel (axis 1) by the batch's own statistics:
// y = (x − mean)/√(var + Eps), without scale and shift (Ioffe and Szegedy 2015;
// Caffe pairs it with Scale). var is the biased variance.
//
//	in:  x (N, C, …)
//	out: y, mean (C), var (C)
type BatchNorm struct{ Eps float32 }

// Infer implements Op.
func (op BatchNorm) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) < 2 {
		return nil, inferError(op, "x has shape %v, want at least 2 axes", x)
	}
	return []Desc{Dense(x...), Dense(x[1]), Dense(x[1])}, nil
}

// BatchNormGrad is the gradient of BatchNorm, through the statistics too.
//
//	in:  dy, x, mean, var
//	out: dx
type BatchNormGrad struct{ Eps float32 }

// Infer implements Op.
func (op BatchNormGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 4); err != nil {
		return nil, err
	}
	if _, err := (Normalize{}).Infer(in[1:]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	return []Desc{Dense(in[0].Shape...)}, sameShapes(op, in[:2])
}

// Normalize is BatchNorm with given statistics; y may be written over x.
//
//	in:  x (N, C, …), mean (C), var (C)
//	out: y = (x − mean)/√(var + Eps)
type Normalize struct{ Eps float32 }

// Infer implements Op.
func (op Normalize) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) < 2 || in[1].Shape.Count() != x[1] || in[2].Shape.Count() != x[1] {
		return nil, inferError(op, "x has shape %v, mean %v, var %v", x, in[1].Shape, in[2].Shape)
	}
	return []Desc{Dense(x...)}, nil
}

// InPlace implements InPlacer.
func (op Normalize) InPlace() int { return 0 }

// NormalizeGrad is the gradient of Normalize with respect to x: dy/√(var + Eps).
//
//	in:  dy, var (C)
//	out: dx
type NormalizeGrad struct{ Eps float32 }

// Infer implements Op.
func (op NormalizeGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	if _, err := (Normalize{}).Infer([]Desc{in[0], in[1], in[1]}); err != nil {
		return nil, inferError(op, "%v", err)
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}

// InPlace implements InPlacer.
func (op NormalizeGrad) InPlace() int { return 0 }

// MovingStats turns Caffe's three stored blobs into statistics: mean = m/s and
// var = v/s, both 0 where s is 0.
//
//	in:  m (C), v (C), s (1)
//	out: mean (C), var (C)
type MovingStats struct{}

// Infer implements Op.
func (op MovingStats) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	if in[2].Shape.Count() != 1 {
		return nil, inferError(op, "s has shape %v, want one element", in[2].Shape)
	}
	return []Desc{Dense(in[0].Shape...), Dense(in[1].Shape...)}, sameShapes(op, in[:2])
}

// MovingUpdate advances Caffe's three stored blobs by a batch's statistics:
// m' = λm + mean, v' = λv + n/(n−1)·var, s' = λs + 1, where λ is Fraction and n
// is Count, the elements a channel has in the batch (n/(n−1) is 1 for n = 1).
// Each output may be written over the input of its place.
//
//	in:  m (C), v (C), s (1), mean (C), var (C)
//	out: m', v', s'
type MovingUpdate struct {
	Fraction float32
	Count    int
}

// Infer implements Op.
func (op MovingUpdate) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 5); err != nil {
		return nil, err
	}
	if in[2].Shape.Count() != 1 {
		return nil, inferError(op, "s has shape %v, want one element", in[2].Shape)
	}
	m, v, s := Dense(in[0].Shape...), Dense(in[1].Shape...), Dense(in[2].Shape...)
	return []Desc{m, v, s}, sameShapes(op, []Desc{in[0], in[1], in[3], in[4]})
}

// Overwrites implements Overwriter: m, v and s.
func (op MovingUpdate) Overwrites() []int { return []int{0, 1, 2} }
