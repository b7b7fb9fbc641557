package data

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gocaffe/gocaffe/engine"
)

// batch is one batch on its way: records, then pictures, then the values that the net reads.
type batch struct {
	records []Record
	draws   []draws
	after   progress // once these records are consumed
	readErr error    // why there are fewer records than the batch size

	size    dims
	raw     bool // its pictures are bytes and windows, for the device to transform; else data
	data    []float32
	bytes   []byte
	windows []float32 // engine.WindowSize a record
	labels  []float32

	next    atomic.Int32 // the record that the next idle worker takes
	helpers atomic.Int32 // workers that have yet to say that no record is left
	mixed   atomic.Bool  // raw, but a record is not bytes
	shaped  sync.WaitGroup
	done    chan struct{} // holds one element once the batch is complete

	mu     sync.Mutex
	err    error // of the first record that has one
	failed int   // which record that is
}

func newBatch(size int) *batch {
	return &batch{
		records: make([]Record, size), draws: make([]draws, size), labels: make([]float32, size), done: make(chan struct{}, 1),
	}
}

// prepare makes the batch ready for a number of workers. Its pictures stay bytes where raw is set and the first is.
func (b *batch) prepare(helpers int, raw bool) {
	b.next.Store(0)
	b.helpers.Store(int32(helpers))
	b.shaped.Add(1)
	b.size, b.err, b.raw = dims{}, nil, raw
	b.mixed.Store(false)
}

// work takes records until none is left. The worker that ends last completes the batch.
func (b *batch) work(w *worker, t *transform) {
	b.fillRest(w, t)
	if b.helpers.Add(-1) > 0 {
		return
	}
	if b.mixed.Load() { // so rare that it may cost twice the time
		b.prepare(1, false)
		b.fillRest(w, t)
	}
	b.done <- struct{}{}
}

// fillRest fills the records that no other worker takes.
func (b *batch) fillRest(w *worker, t *transform) {
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.records) {
			return
		}
		if err := b.fill(i, w, t); err != nil {
			b.fail(i, err)
		}
	}
}

// fill decodes and transforms record i. All others wait for record 0, which decides the batch's shape; its worker waits for nobody, since
// it is taken first.
func (b *batch) fill(i int, w *worker, t *transform) error {
	p, err := w.open(&b.records[i])
	var size dims
	if err == nil {
		if size, err = t.result(p); err != nil {
			err = w.place(&b.records[i], err)
		}
	}
	if i == 0 {
		if err == nil {
			b.raw = b.raw && p.bytes != nil
			b.reshape(size, p.mask != nil)
		}
		b.shaped.Done()
	} else {
		b.shaped.Wait()
	}
	if err != nil || b.size == (dims{}) {
		return err
	}
	if size != b.size {
		return w.place(&b.records[i], fmt.Errorf("is %v (channels, height, width) where the first record of its batch is %v: "+
			"all must have one size; resize the images, set crop_size, or take batch_size 1", size, b.size))
	}
	b.picture(i, p, t)
	if p.mask == nil {
		b.labels[i] = float32(p.label)
		return nil
	}
	n := size[1] * size[2]
	t.labels(b.labels[i*n:][:n], p, size, b.draws[i])
	return nil
}

// picture writes picture i.
func (b *batch) picture(i int, p *picture, t *transform) {
	n := b.size.count()
	switch {
	case !b.raw:
		t.apply(b.data[i*n:][:n], p, b.size, b.draws[i])
	case p.bytes == nil:
		b.mixed.Store(true)
	default:
		t.cutOut(b.bytes[i*n:][:n], b.windows[i*engine.WindowSize:][:engine.WindowSize], p, b.size, b.draws[i])
	}
}

// reshape makes room for pictures of a size, and for a label for each pixel of a dense batch.
func (b *batch) reshape(size dims, dense bool) {
	n := len(b.records)
	b.size = size
	if b.raw {
		b.bytes, b.windows = grow(b.bytes, size.count()*n), grow(b.windows, engine.WindowSize*n)
	} else {
		b.data = grow(b.data, size.count()*n)
	}
	if dense {
		b.labels = grow(b.labels, size[1]*size[2]*n)
	}
}

// grow is a slice of n elements, s where it has room.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// fail keeps the error of the lowest record, so that errors do not depend on who was faster.
func (b *batch) fail(i int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil || i < b.failed {
		b.err, b.failed = err, i
	}
}

// result is the error of a complete batch.
func (b *batch) result() error {
	if b.err != nil {
		return b.err
	}
	return b.readErr
}
