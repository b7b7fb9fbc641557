// Package damagetest makes damaged copies of files, and watches how much memory reading them takes.
package damagetest

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// Each calls use with damaged copies of whole: cut at every byte, with every byte inverted, and with every bit flipped. Of each kind there
// are at most limit, spread over the file; its ends, where headers are, are always among them whole. The copy is used again after the call.
func Each(t testing.TB, whole []byte, limit int, use func(name string, b []byte)) {
	t.Helper()
	if len(whole) == 0 || limit <= 0 {
		t.Fatal("damagetest: there is nothing to damage")
	}
	for _, i := range spread(len(whole), limit) {
		use(fmt.Sprintf("cut to %d bytes", i), bytes.Clone(whole[:i]))
	}
	b := bytes.Clone(whole)
	for _, i := range spread(len(whole), limit) {
		b[i] ^= 0xff
		use(fmt.Sprintf("byte %d inverted", i), b)
		b[i] ^= 0xff
	}
	for _, i := range spread(8*len(whole), limit) {
		b[i/8] ^= 1 << (i % 8)
		use(fmt.Sprintf("byte %d, bit %d flipped", i/8, i%8), b)
		b[i/8] ^= 1 << (i % 8)
	}
}

// spread is up to limit of the numbers below n: all of them, or a quarter of the limit from each end and the rest evenly between.
func spread(n, limit int) []int {
	var all []int
	edge := limit / 4
	for i := 0; i < n; {
		all = append(all, i)
		if n <= limit || i < edge || i >= n-edge {
			i++
		} else {
			i = min(i+max((n-2*edge)/max(limit-2*edge, 1), 1), n-edge)
		}
	}
	return all
}

// Within runs f and fails where it allocates more than limit bytes of Go's memory in all, or takes longer than ten seconds: a claimed size
// was believed, or a loop followed a damaged number.
func Within(t testing.TB, name string, limit uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > limit {
		t.Errorf("%s: %d bytes of memory were taken, want at most %d", name, spent, limit)
	}
	if took > 10*time.Second {
		t.Errorf("%s: it took %v", name, took)
	}
}
