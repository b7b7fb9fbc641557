package damagetest

import (
	"bytes"
	"testing"
)

func TestEach(t *testing.T) {
	whole := []byte("0123456789")
	kinds := map[int]int{} // by difference in length, -1 for a copy of the same length
	Each(t, whole, 1000, func(name string, b []byte) {
		if bytes.Equal(b, whole) {
			t.Errorf("%s: nothing is damaged", name)
		}
		if len(b) < len(whole) {
			kinds[len(b)]++
		} else {
			kinds[-1]++
		}
	})
	if len(kinds) != 11 || kinds[-1] != 10+80 || kinds[0] != 1 || string(whole) != "0123456789" {
		t.Errorf("copies by length: %v, the original %q", kinds, whole)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct{ n, limit int }{{10, 100}, {100, 100}, {101, 100}, {100000, 64}, {7, 1}} {
		got := spread(c.n, c.limit)
		if len(got) == 0 || len(got) > c.limit+c.limit/2+1 || got[0] != 0 || c.limit >= 4 && got[len(got)-1] != c.n-1 {
			t.Errorf("spread(%d, %d) has %d numbers: %v", c.n, c.limit, len(got), got)
		}
		for i := 1; i < len(got); i++ {
			if got[i] <= got[i-1] {
				t.Errorf("spread(%d, %d): %v", c.n, c.limit, got)
			}
		}
	}
}
