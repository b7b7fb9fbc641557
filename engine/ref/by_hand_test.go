package ref

import (
	"math"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// byHand is an op with inputs and outputs worked out by hand: what the suite
// compares others with must not be checked against itself alone.
type byHand struct {
	name   string
	op     engine.Op
	shapes []engine.Shape
	in     [][]float32
	want   [][]float32 // nil: not looked at
}

var (
	nan  = float32(math.NaN())
	conv = engine.Conv{Kernel: engine.IntsOf(2, 2), Stride: engine.IntsOf(1, 2), Pad: engine.IntsOf(0, 1), Dilation: engine.IntsOf(1, 1), Group: 1,
		Epilogue: engine.Epilogue{Bias: true, Act: engine.ActReLU, Slope: 0.5}}
	square = []engine.Shape{{2, 2}, {2, 2}}
)

var forwardByHand = []byHand{
	{"gemm", engine.Gemm{}, square, [][]float32{{1, 2, 3, 4}, {5, 6, 7, 8}}, [][]float32{{19, 22, 43, 50}}},
	{"gemm TransA TransB", engine.Gemm{TransA: true, TransB: true}, square, [][]float32{{1, 2, 3, 4}, {5, 6, 7, 8}}, [][]float32{{23, 31, 34, 46}}},
	// Rows 1 2 3 / 4 5 6 padded left and right: windows at columns −1 and 1.
	{"conv", conv, []engine.Shape{{1, 1, 2, 3}, {1, 1, 2, 2}, {1}}, [][]float32{{1, 2, 3, 4, 5, 6}, {1, -1, 2, -2}, {3}}, [][]float32{{-3, 0}}},
	{"pool max, over the end", engine.Pool{Kernel: engine.IntsOf(2), Stride: engine.IntsOf(2), Pad: engine.IntsOf(0), Out: engine.IntsOf(2), Mask: true},
		[]engine.Shape{{1, 1, 3}}, [][]float32{{4, 4, 2}}, [][]float32{{4, 2}, {0, 2}}},
	{"pool max of NaN", engine.Pool{Kernel: engine.IntsOf(2), Stride: engine.IntsOf(1), Pad: engine.IntsOf(0), Out: engine.IntsOf(1), Mask: true},
		[]engine.Shape{{1, 1, 2}}, [][]float32{{nan, nan}}, [][]float32{{-math.MaxFloat32}, {-1}}},
	{"pool ave, padding counts", engine.Pool{Method: engine.AvePool, Kernel: engine.IntsOf(3), Stride: engine.IntsOf(2), Pad: engine.IntsOf(1), Out: engine.IntsOf(3)},
		[]engine.Shape{{1, 1, 4}}, [][]float32{{3, 6, 9, 12}}, [][]float32{{3, 9, 6}}},
	// scale = 1 + 3/3·(Σ x² of the channel and its neighbours): 6, 15, 14.
	{"lrn", engine.LRN{Size: 3, Alpha: 3, Beta: 1, K: 1}, []engine.Shape{{1, 3, 1, 1}}, [][]float32{{1, 2, 3}}, [][]float32{{1. / 6, 2. / 15, 3. / 14}, nil}},
	{"batch norm", engine.BatchNorm{Eps: 1}, []engine.Shape{{4, 1}}, [][]float32{{1, 3, 3, 5}}, [][]float32{{-1.1547005, 0, 0, 1.1547005}, {3}, {2}}},
	{"moving stats", engine.MovingStats{}, []engine.Shape{{1}, {1}, {1}}, [][]float32{{6}, {8}, {4}}, [][]float32{{1.5}, {2}}},
	{"moving stats of nothing", engine.MovingStats{}, []engine.Shape{{1}, {1}, {1}}, [][]float32{{6}, {8}, {0}}, [][]float32{{0}, {0}}},
	{"moving update", engine.MovingUpdate{Fraction: 0.5, Count: 3}, []engine.Shape{{1}, {1}, {1}, {1}, {1}}, [][]float32{{6}, {8}, {4}, {10}, {2}}, [][]float32{{13}, {7}, {3}}},
	{"prelu", engine.PReLU{}, []engine.Shape{{1, 2}, {2}}, [][]float32{{-1, -1}, {0.25, 0.5}}, [][]float32{{-0.25, -0.5}}},
	{"sum", engine.Sum{Coeff: engine.FloatsOf(2, -1)}, []engine.Shape{{2}, {2}}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{-1, 0}}},
	{"reduce", engine.Reduce{Fn: engine.ReduceASum, Axis: 1, Coeff: 0.5}, []engine.Shape{{2, 2}}, [][]float32{{1, -2, 3, -4}}, [][]float32{{1.5, 3.5}}},
	{"broadcast", engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 0}, []engine.Shape{{2, 2}, {2}}, [][]float32{{1, 2, 3, 4}, {10, 20}}, [][]float32{{11, 12, 23, 24}}},
	{"concat", engine.Concat{Axis: 1}, []engine.Shape{{2, 1}, {2, 2}}, [][]float32{{1, 2}, {3, 4, 5, 6}}, [][]float32{{1, 3, 4, 2, 5, 6}}},
	{"slice", engine.Slice{Axis: 1, Sizes: engine.IntsOf(1, 2)}, []engine.Shape{{2, 3}}, [][]float32{{1, 2, 3, 4, 5, 6}}, [][]float32{{1, 4}, {2, 3, 5, 6}}},
	{"fill", engine.Fill{Shape: engine.IntsOf(2), Value: 7}, nil, nil, [][]float32{{7, 7}}},
	{"softmax", engine.Softmax{Axis: 1}, []engine.Shape{{1, 2}}, [][]float32{{1000, 1000}}, [][]float32{{0.5, 0.5}}},
	// A certain mistake costs −ln FLT_MIN.
	{"softmax loss", engine.SoftmaxLoss{Axis: 1}, []engine.Shape{{1, 2}, {1}}, [][]float32{{1000, 0}, {1}}, [][]float32{{87.33655}, {1, 0}}},
	{"softmax loss, one of two ignored", engine.SoftmaxLoss{Axis: 1, HasIgnore: true, Ignore: 9, Norm: engine.NormValid},
		[]engine.Shape{{2, 2}, {2}}, [][]float32{{0, 0, 5, 6}, {0, 9.5}}, [][]float32{{math.Ln2}, nil}},
	{"sigmoid loss", engine.SigmoidLoss{Norm: engine.NormFull}, []engine.Shape{{2}, {2}}, [][]float32{{0, 0}, {1, 0}}, [][]float32{{math.Ln2}}},
	// Rows: right; a tie, which is wrong; a NaN score, which is wrong; ignored.
	{"accuracy", engine.Accuracy{TopK: 1, Axis: 1, HasIgnore: true, Ignore: -1}, []engine.Shape{{4, 2}, {4}},
		[][]float32{{1, 2, 3, 3, 1, nan, 5, 1}, {1, 0, 1, -1}}, [][]float32{{1. / 3}, {0, 0.5}}},
	{"accuracy of the top 2", engine.Accuracy{TopK: 2, Axis: 1}, []engine.Shape{{2, 3}, {2}}, [][]float32{{1, 2, 3, 3, 2, 1}, {1, 2}}, [][]float32{{0.5}, {0, 1, 0}}},
	{"gather", engine.Gather{}, []engine.Shape{{3, 2}, {2}}, [][]float32{{1, 2, 3, 4, 5, 6}, {2, 0.9}}, [][]float32{{5, 6, 1, 2}}},
	{"gather gradient", engine.GatherGrad{Rows: 3}, []engine.Shape{{3, 2}, {3}}, [][]float32{{1, 2, 3, 4, 5, 6}, {2, 0, 2}}, [][]float32{{3, 4, 0, 0, 6, 8}}},
	{"nonzero", engine.Nonzero{Count: 2}, []engine.Shape{{4}}, [][]float32{{0, nan, 0, -2}}, [][]float32{{1, 3}}},
	{"one-hot", engine.OneHot{Classes: 3, On: 5, Off: -1}, []engine.Shape{{2}}, [][]float32{{2, 0}}, [][]float32{{-1, -1, 5, 5, -1, -1}}},
	// 1 2 3 with a 0 on each side: windows of 2 at 0 and 2.
	{"im2col", engine.Im2col{Kernel: engine.IntsOf(2), Stride: engine.IntsOf(2), Pad: engine.IntsOf(1), Dilation: engine.IntsOf(1)},
		[]engine.Shape{{1, 1, 3}}, [][]float32{{1, 2, 3}}, [][]float32{{0, 2, 1, 3}}},
	{"col2im", engine.Col2im{Kernel: engine.IntsOf(2), Stride: engine.IntsOf(1), Pad: engine.IntsOf(0), Dilation: engine.IntsOf(1), Size: engine.IntsOf(3)},
		[]engine.Shape{{1, 2, 2}}, [][]float32{{1, 2, 10, 20}}, [][]float32{{1, 12, 20}}},
	// Of two classes of probability ½, the first label's row counts both.
	{"infogain loss, one of two ignored", engine.InfogainLoss{Axis: 1, HasIgnore: true, Ignore: 9, Norm: engine.NormFull},
		[]engine.Shape{{2, 2}, {2}, {2, 2}}, [][]float32{{0, 0, 5, 6}, {0, 9}, {1, 2, 3, 4}}, [][]float32{{3 * math.Ln2 / 2}, nil}},
	{"argmax", engine.ArgMax{TopK: 2, Values: true}, []engine.Shape{{1, 4}}, [][]float32{{1, 5, 5, 2}}, [][]float32{{2, 1, 5, 5}}},
	{"argmax of an axis", engine.ArgMax{TopK: 1, HasAxis: true, Axis: 0}, []engine.Shape{{2, 2}}, [][]float32{{1, 5, 3, 2}}, [][]float32{{1, 0}}},
}

func TestByHand(t *testing.T) {
	for _, c := range append(forwardByHand, updatesByHand...) {
		t.Run(c.name, func(t *testing.T) {
			out, err := launchOn(t, c.op, c.shapes, c.in...)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.want {
				for j, v := range want {
					if d := float64(out[i][j] - v); !(math.Abs(d) <= 1e-6*max(1, math.Abs(float64(v)))) {
						t.Fatalf("output %d is %v, want %v", i, out[i], want)
					}
				}
			}
		})
	}
}

// One step from w = 2, g = 8·0.5·0.25 = 1, h = 4 (h2 = 9), rate 0.1·2 = 0.2.
var (
	hyper    = []float32{0.1, 0.5, 0.75, 0.25}
	oneStep  = []engine.Shape{{1}, {1}, {1}, {engine.HyperSize}}
	oneStep2 = []engine.Shape{{1}, {1}, {1}, {1}, {engine.HyperSize}}
	state    = [][]float32{{2}, {8}, {4}, hyper}
	state2   = [][]float32{{2}, {8}, {4}, {9}, hyper}
)

var updatesByHand = []byHand{
	{"SGD", engine.Update{Rule: engine.SGD, Rate: 2, Momentum: 0.5}, oneStep, state, [][]float32{{2 - 2.2}, {2.2}}},
	{"SGD with decay", engine.Update{Rule: engine.SGD, Rate: 2, Momentum: 0.5, Decay: 0.5}, oneStep, state, [][]float32{{2 - 2.4}, {2.4}}},
	{"SGD with L1", engine.Update{Rule: engine.SGD, Rate: 2, Momentum: 0.5, Decay: 0.5, L1: true}, oneStep, state, [][]float32{{2 - 2.3}, {2.3}}},
	{"Nesterov", engine.Update{Rule: engine.Nesterov, Rate: 2, Momentum: 0.5}, oneStep, state, [][]float32{{2 - (1.5*2.2 - 0.5*4)}, {2.2}}},
	{"AdaGrad", engine.Update{Rule: engine.AdaGrad, Rate: 2, Delta: 1}, oneStep, state, [][]float32{{2 - 0.2/(2.236068+1)}, {5}}},
	{"RMSProp", engine.Update{Rule: engine.RMSProp, Rate: 2, RMSDecay: 0.75, Delta: 1}, oneStep, state, [][]float32{{2 - 0.2/(1.8027756+1)}, {3.25}}},
	// u = √((9+1)/(3.25+1)); h2 = 0.75·9 + 0.25·u².
	{"AdaDelta", engine.Update{Rule: engine.AdaDelta, Rate: 2, Momentum: 0.75, Delta: 1}, oneStep2, state2, [][]float32{{2 - 0.2*1.5339299}, {3.25}, {6.75 + 0.25*2.3529412}}},
	{"Adam", engine.Update{Rule: engine.Adam, Rate: 2, Momentum: 0.5, Momentum2: 0.75, Delta: 1}, oneStep2, state2, [][]float32{{2 - 0.2*0.75*2.5/(2.6457513+1)}, {2.5}, {7}}},
}
