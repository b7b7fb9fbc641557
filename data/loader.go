package data

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/rng"
)

// Loader gives the batches of one data layer, made ahead of the net. It is used by one goroutine at a time. Errors name the source and
// the record; the layer is the caller's to name.
type Loader struct {
	source    Source
	decoding  decoding
	transform *transform
	seed      uint32 // of the transform's random stream
	forced    bool   // force_color or force_gray
	log       Logger
	later     heldLines // what the layer logs when set up
	logWraps  bool

	tops, batch, prefetch, workers int
	rank, ranks                    int64

	raw      bool     // pictures stay bytes where they can
	first    dims     // of the first record, while the pipeline has not run
	bytes    bool     // the first record is bytes
	consumed progress // after the batches that Next has given
	pipe     *pipeline
	current  *batch // the next batch, if it has been waited for
	err      error  // once Next has failed
	wait     time.Duration
	warm     bool // a batch has been given since the pipeline started
}

// progress is a place in the sequence of batches.
type progress struct {
	Mark
	Offset  int64 `json:"offset"`  // records gone by, those of other ranks included
	Records int64 `json:"records"` // records used
}

// probe decodes the first record, for the shape of the first batch.
func (l *Loader) probe(file string, line int) (err error) {
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	w := worker{decoding: l.decoding}
	defer w.close()
	var rec Record
	if _, err := l.source.Next(&rec); err != nil {
		return err
	}
	p, err := w.open(&rec)
	if err != nil {
		return err
	}
	if l.first, err = l.transform.result(p); err != nil {
		return w.place(&rec, err)
	}
	l.bytes = p.bytes != nil
	if n := int64(l.first.count()) * int64(l.batch); n > math.MaxInt32 {
		return fmt.Errorf("a batch of %d x %v has %d values, more than 2^31", l.batch, l.first, n)
	}
	if l.forced && !p.interleaved {
		l.later.Warningf("data_transformer.cpp", 152, "force_color and force_gray only for encoded datum")
	}
	l.later.Infof(file, line, "output data size: %d,%d,%d,%d", l.batch, l.first[0], l.first[1], l.first[2])
	return l.source.Seek(l.consumed.Mark)
}

// Shapes are the shapes of the tops of the next batch: batch x channels x height x width, and for the labels batch, or batch x 1 x height x
// width where each pixel has one. The first record of each batch decides its shape.
func (l *Loader) Shapes() ([]engine.Shape, error) {
	size, _, err := l.look()
	if err != nil {
		return nil, err
	}
	labels := engine.Shape{l.batch}
	if l.decoding.dense {
		labels = engine.Shape{l.batch, 1, size[1], size[2]}
	}
	return []engine.Shape{{l.batch, size[0], size[1], size[2]}, labels}[:l.tops], nil
}

// look tells the size of the next batch's pictures, and whether they are bytes.
func (l *Loader) look() (size dims, raw bool, err error) {
	l.later.flush(l.log)
	if l.pipe == nil && l.first != (dims{}) && l.ranks <= 1 {
		return l.first, l.raw && l.bytes, nil
	}
	b, err := l.peek()
	if err != nil {
		return dims{}, false, err
	}
	return b.size, b.raw, nil
}

// TakePixels has pictures left as bytes where they are such, for the device to transform. It is called before the first batch is asked for.
func (l *Loader) TakePixels() { l.raw = true }

// Pixels tells how the next batch's bytes become numbers; nil where it is numbers already, which Next gives.
func (l *Loader) Pixels() (*engine.PixelFormat, error) {
	size, raw, err := l.look()
	if err != nil || !raw {
		return nil, err
	}
	return l.transform.pixels(size[0]), nil
}

// NextPixels gives the next batch to take, as the inputs of engine.Pixels, and its labels. The memory is the Loader's.
func (l *Loader) NextPixels(take func(bytes []byte, windows, labels []float32) error) error {
	b, err := l.peek()
	if err != nil {
		return err
	}
	if !b.raw {
		return fmt.Errorf("the batch of %d x %v is no bytes", l.batch, b.size)
	}
	if err := take(b.bytes, b.windows, b.labels); err != nil {
		return err
	}
	l.consume(b)
	return nil
}

// Next writes the next batch: data to the first slice, labels to the second, if the layer has two tops. Their lengths are the counts of
// Shapes.
func (l *Loader) Next(dst ...[]float32) error {
	b, err := l.peek()
	if err != nil {
		return err
	}
	if b.raw || len(dst) != l.tops || len(dst[0]) != len(b.data) || l.tops == 2 && len(dst[1]) != len(b.labels) {
		return fmt.Errorf("the batch is %d x %v, which does not fit the buffers given for it", l.batch, b.size)
	}
	copy(dst[0], b.data)
	if l.tops == 2 {
		copy(dst[1], b.labels)
	}
	l.consume(b)
	return nil
}

// consume gives the current batch back to the pipeline.
func (l *Loader) consume(b *batch) {
	key := append(l.consumed.After[:0], b.after.After...)
	l.consumed = b.after
	l.consumed.After = key
	l.current, l.warm = nil, true
	l.pipe.free <- b
}

// waits counts the times that any layer has waited for data.
var waits atomic.Int64

// peek waits for the next batch and keeps it.
func (l *Loader) peek() (*batch, error) {
	if l.err != nil || l.current != nil {
		return l.current, l.err
	}
	l.later.flush(l.log)
	if l.pipe == nil {
		if l.err = l.start(); l.err != nil {
			return nil, l.err
		}
	}
	start := time.Now()
	b := <-l.pipe.full
	select {
	case <-b.done:
	default:
		if l.warm && waits.Add(1)%1000 == 1 {
			l.log.Infof("blocking_queue.cpp", 49, "Waiting for data")
		}
		<-b.done
	}
	l.wait += time.Since(start)
	if l.err = b.result(); l.err != nil {
		return nil, l.err
	}
	l.current = b
	return b, nil
}

// start begins to read after the batches consumed so far.
func (l *Loader) start() error {
	if err := l.source.Seek(l.consumed.Mark); err != nil {
		return err
	}
	random := rng.New(l.seed)
	for range l.consumed.Records * l.transform.drawsPerRecord() {
		random.Uint32()
	}
	l.pipe = newPipeline(l, random)
	return nil
}

// stop ends the goroutines. What they had made is dropped, and made again after the next start.
func (l *Loader) stop() {
	if l.pipe != nil {
		l.pipe.stop()
	}
	l.pipe, l.current, l.first, l.warm = nil, nil, dims{}, false
}

// Wait is how long Shapes and Next have waited for data, in total.
func (l *Loader) Wait() time.Duration { return l.wait }

// Close ends the goroutines and closes the source. The Loader cannot be used afterwards.
func (l *Loader) Close() error {
	l.stop()
	if l.err == nil {
		l.err = fmt.Errorf("%s is closed", l.decoding.source)
	}
	return l.source.Close()
}
