package engine

import "fmt"

// Mining says which boxes without an object are in the loss.
type Mining uint8

// The ways of SSD.
const (
	MineNone     Mining = iota // all
	MineNegative               // the worst, Ratio for each box with an object
	MineHard                   // the Sample worst boxes, those with an object included
)

func (m Mining) String() string { return [...]string{"None", "Negative", "Hard"}[m] }

// MultiBoxMatch matches default boxes with labelled ones and says what is to be
// learned of them (Liu et al. 2016, SSD): each labelled box takes the default box
// that overlaps it most, then with PerPrediction each other default box the
// labelled one that it overlaps most, if that is Overlap or more. Of those left
// Mining selects by their loss those that count as background.
//
//	in:  loc (N, boxes·4, or boxes·Classes·4 with PerClass), conf (N,
//	     boxes·Classes), priors (1, 2, boxes·4), truth (…, 8): item, class, −,
//	     xmin, ymin, xmax, ymax, difficult; rows of item −1 count for nothing
//	out: diff (loc's shape): prediction minus encoded truth where there is a
//	     match, else 0; target: (N, boxes), the class of each box, −1 where it is
//	     not in the loss, or with Logistic (N, boxes·Classes), 1 for its class,
//	     else 0; scale (scalar): 1/normaliser, NormValid counts matches
//
// With VarianceInTarget diff is divided by the variances. The gradient is SSD's,
// that of diff without this factor. A class in truth that is the background or no
// class fails the stream with a *TruthError.
type MultiBoxMatch struct {
	Classes, Background int
	PerClass            bool // each class has locations of its own
	Code                BoxCode
	VarianceInTarget    bool
	PerPrediction       bool
	Overlap             float32
	MatchDecoded        bool // match predicted boxes, not default ones
	SkipCross           bool // boxes that leave the image match nothing
	ZeroOutside         bool // sides that leave the image have no difference
	UseDifficult        bool
	Agnostic            bool // every object is class Background + 1, whatever truth says
	Logistic            bool
	L2                  bool // the loss that MineHard sees, else smooth L1
	Mining              Mining
	Ratio, NegOverlap   float32 // of MineNegative: background overlaps objects less
	Sample              int     // of MineHard
	NMS                 float32 // suppress before mining; 0: do not
	TopK                int     // boxes that suppression looks at, −1: all
	NMSDecoded          bool    // suppress predicted boxes, not default ones
	Norm                Normalization
}

// Infer implements Op.
func (op MultiBoxMatch) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 4); err != nil {
		return nil, err
	}
	loc, conf, truth := in[0].Shape, in[1].Shape, in[3].Shape
	sets := DetectionOutput{Classes: op.Classes, PerClass: op.PerClass, Background: -1, TopK: -1, KeepTopK: -1}
	if _, err := sets.Infer(in[:3]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	if truth.Count()%8 != 0 || len(truth) == 0 {
		return nil, inferError(op, "truth has shape %v: want rows of 8", truth)
	}
	target := Dense(loc[0], in[2].Shape.Count()/8)
	if op.Logistic {
		target = Dense(loc[0], conf[1:].Count())
	}
	return []Desc{Dense(loc...), target, Dense()}, nil
}

// TruthError is a labelled box that no detector can learn.
type TruthError struct {
	Row                 int // which row of the labelled boxes
	Class               float32
	Classes, Background int
}

func (e *TruthError) Error() string {
	if e.Class == float32(e.Background) {
		return fmt.Sprintf("row %d of the labelled boxes has class %g, which is background_label_id; check the labels of the data", e.Row, e.Class)
	}
	return fmt.Sprintf("row %d of the labelled boxes has class %g, outside 0 to %d; check the labels of the data, or num_classes", e.Row, e.Class, e.Classes-1)
}
