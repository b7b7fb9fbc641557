package engine_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

func TestChoosePrecision(t *testing.T) {
	for _, c := range []struct {
		want string
		has  []string
		got  string
		err  string // part of the error, "" for none
	}{
		{"", []string{"fp32"}, "fp32", ""},
		{"bf16", []string{"fp32", "bf16"}, "bf16", ""},
		{"tf32", []string{"fp32", "bf16"}, "", "fp32 or bf16 only"},
		{"fp16", []string{"fp32"}, "", "no precision"},
	} {
		got, err := engine.ChoosePrecision("x", c.want, c.has...)
		if got != c.got || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q of %v gives %q, %v", c.want, c.has, got, err)
		}
	}
}

func TestBF16(t *testing.T) {
	for _, c := range []struct{ f, want float32 }{
		{1, 1}, {-2.5, -2.5}, {0, 0},
		{1 + 1.0/256, 1},           // a tie goes to the even neighbour
		{1 + 3.0/256, 1 + 4.0/256}, // here upwards
		{1 + 1.01/256, 1 + 2.0/256},
		{3.4e38, float32(math.Inf(1))},
		{float32(math.Inf(-1)), float32(math.Inf(-1))},
	} {
		if got := engine.FromBF16(engine.ToBF16(c.f)); got != c.want {
			t.Errorf("%g is rounded to %g, want %g", c.f, got, c.want)
		}
	}
	odd := math.Float32frombits(0x7f800001) // a NaN whose upper half alone would be an infinity
	if got := engine.FromBF16(engine.ToBF16(odd)); got == got {
		t.Errorf("NaN becomes %g", got)
	}
}

// TestNarrow pins what must stay float32.
func TestNarrow(t *testing.T) {
	for _, op := range []engine.Op{
		engine.SoftmaxLoss{}, engine.Softmax{}, engine.Update{}, engine.UpdateAll{}, engine.MovingUpdate{}, engine.Accuracy{},
		engine.Unary{Fn: engine.Log}, engine.Unary{Fn: engine.Power, A: 2}, engine.Reduce{},
	} {
		if in, out := engine.Narrow(op); in != 0 || out != 0 {
			t.Errorf("%T: inputs %b and outputs %b may be bf16", op, in, out)
		}
	}
	in, out := engine.Narrow(engine.Conv{Epilogue: engine.Epilogue{Bias: true, Add: true}})
	if !in.Has(0) || !in.Has(1) || in.Has(2) || !in.Has(3) || !out.Has(0) {
		t.Errorf("a convolution's inputs are %b, outputs %b", in, out)
	}
	if in, out := engine.Narrow(engine.BatchNorm{}); !in.Has(0) || !out.Has(0) || out.Has(1) || out.Has(2) {
		t.Errorf("BatchNorm's inputs are %b, outputs %b", in, out)
	}
}
