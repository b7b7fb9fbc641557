package layers_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// TestMarginModes: with θ the angle between the input and the label's weights the
// score is |x|·ψ(θ) and the plain product in proportion 1 to λ; ψ(θ) = (−1)ᵏ·cos mθ −
// 2k for θ from kπ/m to (k+1)π/m (Liu et al. 2017). The gradient is ψ's derivative
// along the weights and x, as a pair made one of length 1 (SphereFace's code), and
// the product's.
func TestMarginModes(t *testing.T) {
	angles := []float64{15, 50, 75, 100, 130, 170} // every k of each m
	for times, typ := range []string{"SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE"} {
		m := float64(times + 1)
		for name, dev := range enginetest.Devices(t) {
			r := runText(t, dev, plan.Options{}, []string{"6 2", "6"}, `layer { name: "l" type: "MarginInnerProduct" bottom: "a" bottom: "b" top: "y" top: "lambda"
				margin_inner_product_param { num_output: 2 type: `+typ+` base: 10 gamma: 0.5 power: 2 iteration: 3 lambda_min: 0.5 } }`)
			const lambda = 10. / 9 // 10·(1 + ½·4)⁻²: the first pass is the one after iteration
			check(t, r.p.Store(r.g.Params[0].Value, []float32{3, 0, 0, -2}))
			var x, labels, dy, want, dx []float32
			dw := make([]float64, 4)
			for i, angle := range angles {
				theta, norm, label := angle*math.Pi/180, 1+0.3*float64(i), i%2
				w, cosine := [2]float64{1, 0}, math.Cos(theta)
				v := [2]float64{norm * cosine, norm * math.Sin(theta)}
				if label == 1 { // the other row points down
					w, v = [2]float64{0, -1}, [2]float64{norm * math.Sin(theta), -norm * cosine}
				}
				psi := func(c float64) float64 {
					k := math.Floor(m * math.Acos(c) / math.Pi)
					return math.Pow(-1, k)*math.Cos(m*math.Acos(c)) - 2*k
				}
				const step = 1e-6
				slope := (psi(cosine+step) - psi(cosine-step)) / (2 * step)
				alongW, alongX := slope, (psi(cosine)-slope*cosine)/norm
				length := math.Hypot(alongW, alongX)
				scores, d := [2]float64{v[0], -v[1]}, [2]float64{0.5 - 0.1*float64(i), 0.2 + 0.1*float64(i)}
				if scores[label] = (norm*psi(cosine) + lambda*norm*cosine) / (1 + lambda); times == 0 {
					alongW, alongX, length = 1, 0, 1 // the product alone
				}
				for e := range 2 {
					g := d[label] * ((alongW*w[e]+alongX*v[e])/length + lambda*w[e]) / (1 + lambda)
					if e != label { // axis e is the other row's, up to its sign
						g += d[1-label] * [2]float64{1, -1}[e]
					}
					dx = append(dx, float32(g))
					dw[e], dw[2+e] = dw[e]+d[0]*v[e], dw[2+e]+d[1]*v[e]
				}
				x, labels = append(x, floats(v[:])...), append(labels, float32(label))
				want, dy = append(want, floats(scores[:])...), append(dy, floats(d[:])...)
			}
			r.set("a", x)
			r.set("b", labels)
			r.seed("y", dy)
			r.run()
			closeTo(t, name+" "+typ, r.blob("y"), want...)
			closeTo(t, name+" gradient of "+typ, r.diff("a"), dx...)
			closeTo(t, name+" weights' gradient of "+typ, r.read(r.g.Params[0].Grad), floats(dw)...)
			closeTo(t, name+" λ", r.blob("lambda"), lambda)
		}
	}
}

// TestPSROIBins: each cell of the top is the mean of those cells of its own channel
// whose square meets the bin, which ends after the region's last pixel.
func TestPSROIBins(t *testing.T) {
	const outputs, group, height, width, scale = 2, 2, 6, 7, 0.25
	rois := []float32{1, 3, 2, 17, 20, 0, 0, 0, 27, 23, 1, 12, 8, 12, 8, 0, -9, 4, 50, 30} // one of a single pixel, one beyond the edges
	rng := rand.New(rand.NewPCG(4, 2))
	x, dy := uniform(rng, 2*outputs*group*group*height*width), uniform(rng, 4*outputs*group*group)
	want, dx := make([]float64, len(dy)), make([]float64, len(x))
	for n := range 4 {
		roi := rois[5*n:][:5]
		var start, size [2]float64 // x, y
		for e := range start {
			start[e] = float64(roi[1+e]) * scale
			size[e] = max((float64(roi[3+e])+1)*scale-start[e], 0.1) / group
		}
		for c := range outputs * group * group {
			bin := [2]float64{float64(c % group), float64(c / group % group)}
			var cells []int
			for h := range height {
				for w := range width {
					in := true
					for e, at := range []float64{float64(w), float64(h)} {
						in = in && at+1 > start[e]+bin[e]*size[e] && at < start[e]+(bin[e]+1)*size[e]
					}
					if in {
						cells = append(cells, ((int(roi[0])*outputs*group*group+c)*height+h)*width+w)
					}
				}
			}
			at := n*outputs*group*group + c
			for _, cell := range cells {
				want[at] += float64(x[cell]) / float64(len(cells))
				dx[cell] += float64(dy[at]) / float64(len(cells))
			}
		}
	}
	for name, dev := range enginetest.Devices(t) {
		r := runText(t, dev, plan.Options{}, []string{fmt.Sprint(2, outputs*group*group, height, width), "4 5"},
			`layer { name: "l" type: "PSROIPooling" bottom: "a" bottom: "b" top: "y" psroi_pooling_param { spatial_scale: 0.25 output_dim: 2 group_size: 2 } }`)
		r.set("a", x)
		r.set("b", rois)
		r.seed("y", dy)
		r.run()
		closeTo(t, name+" top", r.blob("y"), floats(want)...)
		closeTo(t, name+" gradient", r.diff("a"), floats(dx)...)
	}
}

// TestInterpSizes: of a plane 2h − 3w + c each output is the plane at its place,
// whatever the size is; and as the layer is linear, Σ y·dy = Σ x·dx.
func TestInterpSizes(t *testing.T) {
	for _, c := range []struct {
		param          string
		height, width  int // of the output
		top, left      int // where the cut plane begins
		bottom, right  int // its last row and column
		secondHasShape string
	}{
		{"zoom_factor: 3", 13, 19, 0, 0, 4, 6, ""},
		{"shrink_factor: 2", 3, 4, 0, 0, 4, 6, ""},
		{"shrink_factor: 2 zoom_factor: 4", 9, 13, 0, 0, 4, 6, ""},
		{"zoom_factor: 2 pad_beg: -1", 7, 11, 1, 1, 4, 6, ""},
		{"zoom_factor: 2 pad_beg: -1 pad_end: -2", 3, 7, 1, 1, 2, 4, ""},
		{"shrink_factor: 3 pad_end: -1", 2, 2, 0, 0, 3, 5, ""},
		{"height: 8 width: 3 pad_beg: -2", 8, 3, 2, 2, 4, 6, ""},
		{"height: 1 width: 1", 1, 1, 0, 0, 4, 6, ""},
		{"use_blob_size: true", 6, 11, 0, 0, 4, 6, "1 3 6 11"},
		{"use_blob_size: true pad_end: -2", 6, 11, 0, 0, 2, 4, "1 3 6 11"},
	} {
		shapes, bottoms := []string{"2 2 5 7"}, `bottom: "a"`
		if c.secondHasShape != "" {
			shapes, bottoms = append(shapes, c.secondHasShape), `bottom: "a" bottom: "b"`
		}
		var x, want []float32
		for n := range 4 {
			for i := range 5 * 7 {
				x = append(x, float32(2*(i/7)-3*(i%7)+n))
			}
			for i := range c.height * c.width {
				h, w := float64(c.top), float64(c.left)
				if c.height > 1 {
					h += float64(i/c.width*(c.bottom-c.top)) / float64(c.height-1)
				}
				if c.width > 1 {
					w += float64(i%c.width*(c.right-c.left)) / float64(c.width-1)
				}
				want = append(want, float32(2*h-3*w+float64(n)))
			}
		}
		dy := uniform(rand.New(rand.NewPCG(1, 3)), len(want))
		for name, dev := range enginetest.Devices(t) {
			r := runText(t, dev, plan.Options{}, shapes, `layer { name: "l" type: "Interp" `+bottoms+` top: "y" interp_param { `+c.param+` } }`)
			r.set("a", x)
			if c.secondHasShape != "" {
				r.set("b", make([]float32, r.g.Shape(r.g.Blobs["b"]).Count()))
			}
			r.seed("y", dy)
			r.run()
			closeTo(t, name+" "+c.param, r.blob("y"), want...)
			if got, same := dot(r.diff("a"), x), dot(want, dy); math.Abs(got-same) > 1e-4*max(1, math.Abs(same)) {
				t.Errorf("%s %s: Σ x·dx is %g, Σ y·dy %g", name, c.param, got, same)
			}
		}
	}
}

// TestUpsampleSizes: elements go where the mask says in a plane of the right size;
// of two at one place the last stays, and both take its gradient.
func TestUpsampleSizes(t *testing.T) {
	for _, c := range []struct {
		param         string
		height, width int
	}{
		{"scale_h: 2 scale_w: 3", 4, 6}, {"scale: 3", 6, 6}, {"scale: 2 pad_out_h: true", 3, 4}, {"scale: 2 pad_out_w: true", 4, 3},
		{"upsample_h: 3 upsample_w: 5", 3, 5}, {"upsample_h: 3 upsample_w: 5 scale: 4", 3, 5},
	} {
		area := c.height * c.width
		mask := []float32{0, float32(area - 1), 5, 5, 3, 1, 2, 7}
		x, dy := []float32{1, 2, 3, 4, 5, 6, 7, 8}, uniform(rand.New(rand.NewPCG(5, 3)), 2*area)
		want, dx := make([]float32, 2*area), make([]float32, 8)
		for i, at := range mask {
			want[i/4*area+int(at)], dx[i] = x[i], dy[i/4*area+int(at)]
		}
		for name, dev := range enginetest.Devices(t) {
			r := runText(t, dev, plan.Options{}, []string{"1 2 2 2", "1 2 2 2"}, `layer { name: "l" type: "Upsample" bottom: "a" bottom: "b" top: "y" upsample_param { `+c.param+` } }`)
			r.set("a", x)
			r.set("b", mask)
			r.seed("y", dy)
			r.run()
			closeTo(t, name+" "+c.param, r.blob("y"), want...)
			closeTo(t, name+" gradient of "+c.param, r.diff("a"), dx...)
			if got := r.g.Shape(r.g.Blobs["y"]); got[2] != c.height || got[3] != c.width {
				t.Errorf("%s: top has shape %v", c.param, got)
			}
		}
	}
}

// TestSegAccuracyCounts: pixels counted one by one, without those of two ignored
// labels, of which one is a class. Class 4 is neither labelled nor found: it does
// not count for the mean accuracy, and is a perfect one for the mean intersection.
func TestSegAccuracyCounts(t *testing.T) {
	const classes, pixels = 5, 60
	rng := rand.New(rand.NewPCG(9, 9))
	scores, labels := uniform(rng, classes*pixels), make([]float32, pixels)
	var right, counted float64
	var labelled, found, both [classes]float64
	for i := range labels {
		labels[i] = []float32{0, 1, 2, 3, 255}[rng.IntN(5)]
		scores[4*pixels+i] = -1
		best := 0
		for c := range classes {
			if scores[c*pixels+i] > scores[best*pixels+i] {
				best = c
			}
		}
		if labels[i] == 2 || labels[i] == 255 {
			continue
		}
		counted++
		labelled[int(labels[i])]++
		found[best]++
		if best == int(labels[i]) {
			right++
			both[best]++
		}
	}
	accuracy, overlap := 0., 1. // the last class'
	for c := range classes - 1 {
		if c != 2 {
			accuracy += both[c] / labelled[c] / 3
		}
		overlap += both[c] / (labelled[c] + found[c] - both[c])
	}
	for name, dev := range enginetest.Devices(t) {
		r := runText(t, dev, plan.Options{}, []string{"1 5 6 10", "1 1 6 10"},
			`layer { name: "l" type: "SegAccuracy" bottom: "a" bottom: "b" top: "y" seg_accuracy_param { ignore_label: 255 ignore_label: 2 } }`)
		r.set("a", scores)
		r.set("b", labels)
		check(t, r.p.Run(graph.Forward))
		closeTo(t, name, r.blob("y"), float32(right/counted), float32(accuracy), float32(overlap/classes))
	}
}

// TestSoftmaxLossOHEMModes: −ln of the label's probability, summed over what is not
// ignored and divided as normalization says; the third top has the losses one by one.
func TestSoftmaxLossOHEMModes(t *testing.T) {
	const items, classes, pixels = 2, 3, 4
	rng := rand.New(rand.NewPCG(3, 8))
	x, labels := uniform(rng, items*classes*pixels), []float32{0, 2, 9, 1, 1, 9, 9, 0}
	for mode, divisor := range map[string]float64{"VALID": 5, "FULL": 8, "BATCH_SIZE": items, "NONE": 1} {
		var loss float64
		each, dx := make([]float32, len(labels)), make([]float32, len(x))
		for i, label := range labels {
			if label == 9 {
				continue
			}
			at := func(c int) int { return i/pixels*classes*pixels + c*pixels + i%pixels }
			var sum float64
			for c := range classes {
				sum += math.Exp(float64(x[at(c)]))
			}
			v := math.Log(sum) - float64(x[at(int(label))])
			loss, each[i] = loss+v, float32(v)
			for c := range classes {
				g := math.Exp(float64(x[at(c)])) / sum
				if c == int(label) {
					g--
				}
				dx[at(c)] = float32(2 * g / divisor)
			}
		}
		for name, dev := range enginetest.Devices(t) {
			r := runText(t, dev, plan.Options{}, []string{"2 3 2 2", "2 1 2 2"}, `layer { name: "l" type: "SoftmaxWithLossOHEM" bottom: "a" bottom: "b" top: "y" top: "p" top: "each"
				loss_weight: 2 loss_weight: 0 loss_weight: 0 loss_param { ignore_label: 9 normalization: `+mode+` } }`)
			r.set("a", x)
			r.set("b", labels)
			r.run()
			closeTo(t, name+" "+mode, r.blob("y"), float32(loss/divisor))
			closeTo(t, name+" losses", r.blob("each"), each...)
			closeTo(t, name+" gradient of "+mode, r.diff("a"), dx...)
			if p := r.blob("p"); !slices.ContainsFunc(p, func(v float32) bool { return v > 0.34 }) {
				t.Errorf("%s: probabilities are %v", name, p)
			}
		}
	}
}
