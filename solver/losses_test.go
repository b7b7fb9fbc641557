package solver

import (
	"math"
	"testing"
)

// Losses that come late give the window what losses at once do, and the first that is no number is
// told with its iteration.
func TestPendingLosses(t *testing.T) {
	const batches = 3
	p := &pendingLosses{}
	for iter := range maxPending {
		if p.full() && iter > 0 {
			t.Fatalf("full after %d iterations", iter)
		}
		for b := range batches {
			p.room(100+iter, batches)[0] = float32(iter + b)
		}
	}
	if !p.full() {
		t.Errorf("not full after %d iterations", maxPending)
	}
	p.values[5*batches] = float32(math.Inf(1))
	w := newLossWindow(2, 100)
	p.into(w)
	if p.broken == nil || p.broken.iter != 105 || !math.IsInf(float64(p.broken.loss), 1) {
		t.Errorf("the broken loss: %+v, want iteration 105", p.broken)
	}
	if len(p.values) != 0 {
		t.Errorf("%d losses are left", len(p.values))
	}
	p = &pendingLosses{}
	p.room(7, 1)[0] = 3
	p.room(8, 1)[0] = 5
	w = newLossWindow(2, 7)
	if p.into(w); w.smoothed != 4 {
		t.Errorf("smoothed %g, want 4", w.smoothed)
	}
}
