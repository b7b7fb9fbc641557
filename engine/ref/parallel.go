package ref

import (
	"sync"
	"sync/atomic"
)

// each calls f for 0 … n-1, several at a time. The calls must not depend on each
// other, so that the result does not depend on their order.
func (l *launch) each(n int, f func(i int)) {
	workers := min(l.threads, n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	done.Wait()
}

// spans cuts 0 … n-1 into ranges worth a goroutine each.
func (l *launch) spans(n int, f func(lo, hi int)) {
	const span = 1 << 14
	l.each((n+span-1)/span, func(i int) {
		f(i*span, min((i+1)*span, n))
	})
}
