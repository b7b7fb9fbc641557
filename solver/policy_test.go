package solver

import (
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/glog"
)

// TestRatePolicies has rates worked out from the formulas at iterations where the policies
// differ; TestGoldenSolvers has those that Caffe logged.
func TestRatePolicies(t *testing.T) {
	const base = "base_lr: 0.1 max_iter: 100 gamma: 0.5 power: 0.75 stepsize: 10 stepvalue: [5, 20, 21] stageiter: [7, 9, 50] stagelr: [0.3, 0.2, 0.01] "
	for _, c := range []struct {
		policy string
		iter   int
		want   string
	}{
		{"fixed", 99, "0.1"},
		{"step", 9, "0.1"}, {"step", 10, "0.05"}, {"step", 35, "0.0125"},
		{"exp", 0, "0.1"}, {"exp", 3, "0.0125"}, {"exp", 20, "9.53674e-08"},
		{"inv", 0, "0.1"}, {"inv", 30, "0.0125"}, {"inv", 7, "0.0323661"},
		{"poly", 0, "0.1"}, {"poly", 50, "0.0594604"}, {"poly", 99, "0.00316228"}, {"poly", 100, "0"},
		{"multifixed", 0, "0.3"}, {"multifixed", 7, "0.3"}, {"multifixed", 8, "0.2"}, {"multifixed", 9, "0.2"}, {"multifixed", 10, "0.01"},
		{"multifixed", 99, "0.01"},
		{"sigmoid", 10, "0.05"}, {"sigmoid", 0, "0.000669285"}, {"sigmoid", 20, "0.0993307"},
	} {
		p := ratePolicy{param: parse(t, base+`lr_policy: "`+c.policy+`"`).Solver, log: silence{}}
		if got := glog.G(p.rate(c.iter)); got != c.want {
			t.Errorf("%s at %d: %s, want %s", c.policy, c.iter, got, c.want)
		}
	}
}

// TestWarmUp: 0.02 to 0.1 in 4 iterations, in a line or with the square of the iteration, and rates
// that end at min_lr or do not fall below it.
func TestWarmUp(t *testing.T) {
	const warm, ramp = "warmup_iter: 4 warmup_start_lr: 0.02 ", "rampup_interval: 4 rampup_lr: 0.02 "
	for _, c := range []struct {
		text string
		iter int
		want string
	}{
		{warm, 0, "0.02"}, {warm, 1, "0.04"}, {warm, 3, "0.08"}, {warm, 4, "0.00625"},
		{ramp, 0, "0.02"}, {ramp, 2, "0.04"}, {ramp, 3, "0.065"}, {ramp, 4, "0.00625"},
		{"warmup_iter: 4", 0, "0"}, {"warmup_iter: 4", 2, "0.05"}, {"rampup_interval: 4", 2, "0.025"},
		{"min_lr: 0.02", 4, "0.02"}, {"min_lr: 0.01", 3, "0.0125"}, {ramp + "min_lr: 0.03", 0, "0.03"},
		{`lr_policy: "poly" min_lr: 0.01`, 0, "0.1"}, {`lr_policy: "poly" min_lr: 0.01`, 50, "0.0325"}, {`lr_policy: "poly" min_lr: 0.01`, 100, "0.01"},
	} {
		text := "base_lr: 0.1 max_iter: 100 gamma: 0.5 power: 2 " + c.text
		if !strings.Contains(text, "lr_policy") {
			text += ` lr_policy: "step" stepsize: 1`
		}
		p := ratePolicy{param: parse(t, text).Solver, log: silence{}}
		if got := glog.G(p.rate(c.iter)); got != c.want {
			t.Errorf("%s at %d: %s, want %s", c.text, c.iter, got, c.want)
		}
	}
}

// TestMultistep: one step an iteration at most, even where a resumed run has passed several.
func TestMultistep(t *testing.T) {
	log := new(lines)
	p := ratePolicy{param: parse(t, `base_lr: 1 gamma: 0.5 lr_policy: "multistep" stepvalue: 5 stepvalue: 6`).Solver, log: log}
	for _, c := range []struct {
		iter int
		want float32
	}{{4, 1}, {10, 0.5}, {11, 0.25}, {12, 0.25}} {
		if got := p.rate(c.iter); got != c.want {
			t.Errorf("iteration %d: %g, want %g", c.iter, got, c.want)
		}
	}
	want := []string{"sgd_solver.cpp:50] MultiStep Status: Iteration 10, step = 1", "sgd_solver.cpp:50] MultiStep Status: Iteration 11, step = 2"}
	if got := log.of(sgdFile); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("log %q", got)
	}
}

// TestLossWindow compares with the mean worked out by hand, and with Caffe's way to start one.
func TestLossWindow(t *testing.T) {
	w := newLossWindow(3, 10)
	for i, want := range []float32{6, 5, 4, 3, 4} {
		w.add(10+i, []float32{6, 4, 2, 3, 7}[i])
		if w.smoothed != want {
			t.Errorf("after %d losses: %g, want %g", i+1, w.smoothed, want)
		}
	}
}
