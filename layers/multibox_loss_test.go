package layers_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net/plan"
)

// multiBox is MultiBoxLoss written down a second time, as slowly and as directly as
// SSD's paper and schema say it, in float64: what the layer is compared with in the
// modes that no golden has.
type multiBox struct {
	name, code           string // CORNER, CENTER_SIZE or CORNER_SIZE
	plain                bool   // encode_variance_in_target
	inside, perClass     bool
	decoded, bipartite   bool // match predictions; only the best box for each truth
	logistic, l2         bool
	agnostic, skipCross  bool
	noDifficult          bool
	mining               string // NONE, MAX_NEGATIVE or HARD_EXAMPLE
	sample               int
	nms                  float64 // 0: no nms_param
	topK                 int
	nmsPriors            bool
	norm                 string
	priors               [][8]float64 // corners and variances
	truths               [][8]float64 // rows of the fourth bottom
	items, classes       int
	positives, negatives int // of the last loss
	undone               int // matches that hard mining left out
}

const (
	matchOverlap = 0.35
	negOverlap   = 0.3
	negRatio     = 1.5
	locWeight    = 2.5
)

func (m *multiBox) text() string {
	nms := ""
	if m.nms > 0 {
		nms = fmt.Sprintf("nms_param { nms_threshold: %g top_k: %d }", m.nms, m.topK)
	}
	pick := func(b bool, yes, no string) string {
		if b {
			return yes
		}
		return no
	}
	return fmt.Sprintf(`layer { name: "l" type: "MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" loss_weight: 3
		loss_param { normalization: %s } multibox_loss_param { num_classes: %d code_type: %s encode_variance_in_target: %v bp_inside: %v share_location: %v
		use_prior_for_matching: %v match_type: %s conf_loss_type: %s loc_loss_type: %s map_object_to_agnostic: %v ignore_cross_boundary_bbox: %v
		use_difficult_gt: %v mining_type: %s sample_size: %d use_prior_for_nms: %v %s overlap_threshold: %g neg_overlap: %g neg_pos_ratio: %g loc_weight: %g } }`,
		m.norm, m.classes, m.code, m.plain, m.inside, !m.perClass, !m.decoded, pick(m.bipartite, "BIPARTITE", "PER_PREDICTION"),
		pick(m.logistic, "LOGISTIC", "SOFTMAX"), pick(m.l2, "L2", "SMOOTH_L1"), m.agnostic, m.skipCross, !m.noDifficult, m.mining, m.sample,
		m.nmsPriors, nms, matchOverlap, negOverlap, negRatio, locWeight)
}

// corners turns a prediction for default box p into a box.
func (m *multiBox) corners(p [8]float64, d []float64) (b [4]float64) {
	w, h := p[2]-p[0], p[3]-p[1]
	var v [4]float64
	for k := range v {
		if v[k] = d[k]; !m.plain {
			v[k] *= p[4+k]
		}
	}
	switch m.code {
	case "CORNER":
		return [4]float64{p[0] + v[0], p[1] + v[1], p[2] + v[2], p[3] + v[3]}
	case "CORNER_SIZE":
		return [4]float64{p[0] + v[0]*w, p[1] + v[1]*h, p[2] + v[2]*w, p[3] + v[3]*h}
	}
	x, y := (p[0]+p[2])/2+v[0]*w, (p[1]+p[3])/2+v[1]*h
	w, h = w*math.Exp(v[2]), h*math.Exp(v[3])
	return [4]float64{x - w/2, y - h/2, x + w/2, y + h/2}
}

// offsets is the prediction that corners turns into b.
func (m *multiBox) offsets(p [8]float64, b [4]float64) (d [4]float64) {
	w, h := p[2]-p[0], p[3]-p[1]
	switch m.code {
	case "CORNER":
		w, h = 1, 1
		fallthrough
	case "CORNER_SIZE":
		d = [4]float64{(b[0] - p[0]) / w, (b[1] - p[1]) / h, (b[2] - p[2]) / w, (b[3] - p[3]) / h}
	default:
		d = [4]float64{(b[0] + b[2] - p[0] - p[2]) / 2 / w, (b[1] + b[3] - p[1] - p[3]) / 2 / h, math.Log((b[2] - b[0]) / w), math.Log((b[3] - b[1]) / h)}
	}
	for k := range d {
		if !m.plain {
			d[k] /= p[4+k]
		}
	}
	return d
}

func jaccard(a, b [4]float64) float64 {
	both := max(0, min(a[2], b[2])-max(a[0], b[0])) * max(0, min(a[3], b[3])-max(a[1], b[1]))
	return both / ((a[2]-a[0])*(a[3]-a[1]) + (b[2]-b[0])*(b[3]-b[1]) - both)
}

// loss is the top for predictions loc and scores conf.
func (m *multiBox) loss(loc, conf []float64) float64 {
	m.positives, m.negatives, m.undone = 0, 0, 0
	var sum float64
	for i := range m.items {
		var truths [][8]float64
		for _, t := range m.truths {
			if int(t[0]) == i && !(m.noDifficult && t[7] != 0) {
				truths = append(truths, t)
			}
		}
		sum += m.image(loc[i*len(loc)/m.items:], conf[i*len(conf)/m.items:], truths)
	}
	n := map[string]int{"VALID": m.positives, "FULL": m.items * len(m.priors), "BATCH_SIZE": m.items, "NONE": 1}[m.norm]
	return sum / float64(max(n, 1))
}

// sets are the classes with locations of their own, −1 for all.
func (m *multiBox) sets() []int {
	if !m.perClass {
		return []int{-1}
	}
	sets := make([]int, 0, m.classes-1)
	for c := 1; c < m.classes; c++ {
		sets = append(sets, c)
	}
	return sets
}

// at is the prediction for default box j from a set of locations.
func (m *multiBox) at(loc []float64, set, j int) []float64 {
	if m.perClass {
		return loc[(j*m.classes+set)*4:][:4]
	}
	return loc[j*4:][:4]
}

// image is what one image adds.
func (m *multiBox) image(loc, conf []float64, truths [][8]float64) float64 {
	var sum float64
	label, inLoss := make([][]int, len(m.priors)), make([]bool, len(m.priors)) // the labels of each box's objects
	for _, set := range m.sets() {
		if len(truths) == 0 {
			break
		}
		match, best := m.match(loc, truths, set)
		m.mine(loc, conf, truths, match, best, inLoss)
		for j, t := range match {
			if t >= 0 {
				m.positives++
				sum += locWeight * m.distance(m.priors[j], m.at(loc, set, j), truths[t])
				label[j], inLoss[j] = append(label[j], m.label(truths[t])), true
			}
		}
	}
	for j := range m.priors {
		if inLoss[j] || m.mining == "NONE" {
			sum += m.entropy(conf[j*m.classes:][:m.classes], label[j])
		}
	}
	return sum
}

func (m *multiBox) label(t [8]float64) int {
	if m.agnostic {
		return 1
	}
	return int(t[1])
}

// match gives which truth each default box is to find, −1 none, −2 left out, and
// the largest overlap with any.
func (m *multiBox) match(loc []float64, truths [][8]float64, set int) (match []int, best []float64) {
	type pair struct {
		box, truth int
		overlap    float64
	}
	var pairs []pair
	match, best = make([]int, len(m.priors)), make([]float64, len(m.priors))
	for j, p := range m.priors {
		b := [4]float64(p[:4])
		if m.decoded {
			b = m.corners(p, m.at(loc, set, j))
		}
		if match[j] = -1; m.skipCross && (min(b[0], b[1], b[2], b[3]) < 0 || max(b[0], b[1], b[2], b[3]) > 1) {
			match[j] = -2
			continue
		}
		for t, truth := range truths {
			if o := jaccard(b, [4]float64(truth[3:7])); o > 1e-6 && (set < 0 || !m.decoded || int(truth[1]) == set) {
				pairs = append(pairs, pair{j, t, o})
				best[j] = max(best[j], o)
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.overlap, a.overlap) })
	taken := map[int]bool{}
	for _, p := range pairs {
		if match[p.box] == -1 && !taken[p.truth] {
			match[p.box], taken[p.truth] = p.truth, true
		}
	}
	for _, p := range pairs {
		if match[p.box] == -1 && !m.bipartite && p.overlap >= matchOverlap {
			match[p.box] = p.truth
		}
	}
	for j, t := range match { // matched with all truths, then told apart
		if set >= 0 && t >= 0 && int(truths[t][1]) != set {
			match[j] = -1
		}
	}
	return match, best
}

// mine marks the background that is in the loss, and undoes the matches that hard
// mining leaves out.
func (m *multiBox) mine(loc, conf []float64, truths [][8]float64, match []int, best []float64, inLoss []bool) {
	if m.mining == "NONE" {
		return
	}
	hard, positives := m.mining == "HARD_EXAMPLE", 0
	var order []int
	worth := make([]float64, len(match))
	for j, t := range match {
		var labels []int
		if t >= 0 {
			positives++
			labels = []int{m.label(truths[t])}
		}
		worth[j] = m.entropy(conf[j*m.classes:][:m.classes], labels)
		if len(labels) == 0 && m.logistic { // background is a class where it is mined
			worth[j] = m.entropy(conf[j*m.classes:][:m.classes], []int{0})
		}
		if t >= 0 && hard {
			worth[j] += m.distance(m.priors[j], m.at(loc, -1, j), truths[t])
		}
		if hard || t == -1 && best[j] < negOverlap {
			order = append(order, j)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	order = m.suppress(loc, order)
	count := m.sample
	if !hard {
		count = int(negRatio * float64(positives))
	}
	chosen := order[:min(count, len(order))]
	for j, t := range match {
		switch in := slices.Contains(chosen, j); {
		case in && t == -1:
			m.negatives++
			inLoss[j] = true
		case hard && !in && t >= 0:
			m.undone++
			match[j] = -1
		}
	}
}

// suppress leaves out the boxes that overlap one before them.
func (m *multiBox) suppress(loc []float64, order []int) []int {
	if m.nms == 0 {
		return order
	}
	var kept []int
	var boxes [][4]float64
	for _, j := range order[:min(m.topK, len(order))] {
		b := [4]float64(m.priors[j][:4])
		if !m.nmsPriors {
			b = m.corners(m.priors[j], m.at(loc, -1, j))
		}
		if !slices.ContainsFunc(boxes, func(k [4]float64) bool { return jaccard(b, k) > m.nms }) {
			kept, boxes = append(kept, j), append(boxes, b)
		}
	}
	return kept
}

// distance is between a prediction and an encoded truth.
func (m *multiBox) distance(p [8]float64, got []float64, truth [8]float64) float64 {
	var sum float64
	edges := [4]float64(p[:4])
	if m.decoded {
		edges = m.corners(p, got)
	}
	for k, want := range m.offsets(p, [4]float64(truth[3:7])) {
		d := math.Abs(got[k] - want)
		if m.plain {
			d /= p[4+k]
		}
		switch {
		case m.inside && (edges[k] < 0 || edges[k] > 1):
		case m.l2 || d < 1:
			sum += d * d / 2
		default:
			sum += d - 0.5
		}
	}
	return sum
}

// entropy is the cross entropy of a box's scores. Softmax has one label, the
// background without any; sigmoids have any number, and count the background as a
// label where it is mined.
func (m *multiBox) entropy(x []float64, labels []int) float64 {
	if !m.logistic {
		label := 0
		if len(labels) > 0 {
			label = labels[len(labels)-1]
		}
		var z float64
		for _, v := range x {
			z += math.Exp(v)
		}
		return math.Log(z) - x[label]
	}
	if len(labels) == 0 && m.mining != "NONE" {
		labels = []int{0}
	}
	var sum float64
	for c, v := range x {
		if slices.Contains(labels, c) {
			v = -v
		}
		sum += math.Log1p(math.Exp(v))
	}
	return sum
}

// draw makes default boxes, some of which leave the image, and truths near some of them.
func (m *multiBox) draw(rng *rand.Rand) {
	m.items, m.classes = 3, 3
	if m.agnostic {
		m.classes = 2
	}
	for range 14 {
		x, y := rng.Float64()*1.1-0.15, rng.Float64()*1.1-0.15
		m.priors = append(m.priors, [8]float64{x, y, x + 0.2 + 0.2*rng.Float64(), y + 0.2 + 0.2*rng.Float64(), 0.1, 0.12, 0.2, 0.25})
	}
	for k := range 7 { // image 1 has none
		near := m.priors[2*k]
		t := [8]float64{float64(2 * (k % 2)), float64(1 + (k/2)%2), 0}
		for e := range 4 {
			t[3+e] = min(max(near[e]+0.08*(rng.Float64()-0.5), 0), 1)
		}
		if k == 4 {
			t[7] = 1
		}
		m.truths = append(m.truths, t)
	}
	m.truths = append(m.truths, [8]float64{-1, -1, -1, -1, -1, -1, -1, -1})
}

func TestMultiBoxModes(t *testing.T) {
	devices := enginetest.Devices(t)
	for seed, m := range []multiBox{
		{name: "corner size, variance in target", code: "CORNER_SIZE", plain: true, mining: "MAX_NEGATIVE", norm: "VALID"},
		{name: "corner size", code: "CORNER_SIZE", mining: "MAX_NEGATIVE", norm: "NONE", noDifficult: true},
		{name: "corner, variance in target", code: "CORNER", plain: true, l2: true, mining: "MAX_NEGATIVE", norm: "FULL"},
		{name: "center size, variance in target", code: "CENTER_SIZE", plain: true, mining: "NONE", norm: "BATCH_SIZE"},
		{name: "inside by default boxes", code: "CENTER_SIZE", inside: true, mining: "MAX_NEGATIVE", norm: "VALID"},
		{name: "inside by predictions", code: "CENTER_SIZE", inside: true, decoded: true, plain: true, mining: "MAX_NEGATIVE", norm: "VALID"},
		{name: "inside, hard examples", code: "CORNER", inside: true, mining: "HARD_EXAMPLE", sample: 7, norm: "VALID"},
		{name: "agnostic", code: "CENTER_SIZE", agnostic: true, mining: "MAX_NEGATIVE", norm: "VALID"},
		{name: "agnostic, logistic, L2", code: "CORNER_SIZE", agnostic: true, logistic: true, l2: true, mining: "MAX_NEGATIVE", norm: "VALID"},
		{name: "locations of each class, by predictions", code: "CORNER", perClass: true, decoded: true, mining: "NONE", norm: "VALID"},
		{name: "locations of each class, bipartite", code: "CENTER_SIZE", perClass: true, bipartite: true, plain: true, mining: "NONE", norm: "FULL"},
		{name: "locations of each class, logistic", code: "CORNER_SIZE", perClass: true, logistic: true, mining: "NONE", norm: "VALID"},
		{name: "logistic without mining", code: "CENTER_SIZE", logistic: true, mining: "NONE", norm: "VALID"},
		{name: "logistic, hard examples", code: "CENTER_SIZE", logistic: true, mining: "HARD_EXAMPLE", sample: 6, norm: "VALID"},
		{name: "hard examples", code: "CORNER", plain: true, mining: "HARD_EXAMPLE", sample: 6, norm: "BATCH_SIZE"},
		{name: "hard examples, predictions suppressed", code: "CENTER_SIZE", l2: true, mining: "HARD_EXAMPLE", sample: 6, nms: 0.2, topK: 9, norm: "VALID"},
		{name: "negatives, default boxes suppressed", code: "CENTER_SIZE", mining: "MAX_NEGATIVE", nms: 0.1, topK: 6, nmsPriors: true, norm: "VALID"},
		{name: "predictions that leave the image", code: "CORNER", bipartite: true, decoded: true, skipCross: true, mining: "MAX_NEGATIVE", norm: "VALID"},
	} {
		t.Run(m.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			m.draw(rng)
			sets := 1
			if m.perClass {
				sets = m.classes
			}
			loc, conf := make([]float64, m.items*len(m.priors)*sets*4), make([]float64, m.items*len(m.priors)*m.classes)
			for _, x := range [][]float64{loc, conf} {
				for i := range x {
					x[i] = float64(float32(2*rng.Float64() - 1))
				}
			}
			if m.plain { // smaller, since they are not multiplied by variances
				for i := range loc {
					loc[i] = float64(float32(loc[i] / 5))
				}
			}
			m.compare(t, devices, loc, conf, sets)
		})
	}
}

// compare runs the layer on each engine. The gradient is that of differences; SSD's
// lacks a factor 1/variance where the variances are in the target.
func (m *multiBox) compare(t *testing.T, devices map[string]engine.Device, loc, conf []float64, sets int) {
	want := m.loss(loc, conf)
	if m.positives < 3 || (m.mining != "NONE") != (m.negatives > 0) || m.mining == "HARD_EXAMPLE" && m.undone == 0 {
		t.Fatalf("%d matches, %d negatives, %d undone show little", m.positives, m.negatives, m.undone)
	}
	dloc, dconf := m.slope(loc, func() float64 { return m.loss(loc, conf) }), m.slope(conf, func() float64 { return m.loss(loc, conf) })
	for i := range dloc {
		if m.plain {
			dloc[i] *= float32(m.priors[i/4/sets%len(m.priors)][4+i%4])
		}
	}
	var priors, truths []float32
	for half := range 2 {
		for _, p := range m.priors {
			priors = append(priors, floats(p[4*half:][:4])...)
		}
	}
	for _, row := range m.truths {
		truths = append(truths, floats(row[:])...)
	}
	shapes := []string{fmt.Sprint(m.items, len(loc)/m.items), fmt.Sprint(m.items, len(conf)/m.items), fmt.Sprint(1, 2, len(priors)/2), fmt.Sprint(1, 1, len(m.truths), 8)}
	for name, dev := range devices {
		r := runText(t, dev, plan.Options{}, shapes, m.text())
		r.set("a", floats(loc))
		r.set("b", floats(conf))
		r.set("c", priors)
		r.set("d", truths)
		r.run()
		closeTo(t, name+" loss", r.blob("y"), float32(want))
		closeTo(t, name+" gradient of locations", r.diff("a"), dloc...)
		closeTo(t, name+" gradient of scores", r.diff("b"), dconf...)
	}
}

// slope is three times (loss_weight) the derivative of f along each element of x.
func (m *multiBox) slope(x []float64, f func() float64) []float32 {
	const step = 1e-6
	d := make([]float32, len(x))
	for i, v := range x {
		x[i] = v + step
		up := f()
		x[i] = v - step
		d[i] = float32(3 * (up - f()) / (2 * step))
		x[i] = v
	}
	return d
}

func floats(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
