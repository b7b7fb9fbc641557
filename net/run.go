package net

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/filler"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/proto"
)

// Forward reads the next batch and computes all tops.
func (n *Net) Forward() error {
	return n.run(graph.Forward)
}

// ForwardBackward is Forward and Backward as one run of the plan.
func (n *Net) ForwardBackward() error {
	return n.run(graph.Forward, graph.Backward)
}

// Step is a whole iteration as one run of the plan: Forward, Backward and ApplyUpdate, with
// what SetHyper gave. Nothing can be read or set in between.
func (n *Net) Step() error {
	return n.run(graph.Forward, graph.Backward, graph.ApplyUpdate)
}

// Backward computes the gradients of the last Forward.
func (n *Net) Backward() error {
	return n.now.plan.Run(graph.Backward)
}

// ApplyUpdate runs the solver's step on the gradients of the last Backward.
func (n *Net) ApplyUpdate() error {
	return n.now.plan.Run(graph.ApplyUpdate)
}

func (n *Net) run(dirs ...graph.Direction) error {
	if err := n.followShapes(); err != nil {
		return err
	}
	if err := n.feed(func(graph.Feed, time.Duration) {}); err != nil {
		return err
	}
	if err := n.now.plan.Run(dirs...); err != nil {
		return err
	}
	return n.drain()
}

// followShapes asks the sources for their next batch's shapes and recompiles
// where they are new.
func (n *Net) followShapes() error {
	changed := false
	for _, s := range n.sources {
		before, bytes := s.shapes, s.format != nil
		if err := s.look(); err != nil {
			return err
		}
		changed = changed || bytes != (s.format != nil) || !slices.EqualFunc(before, s.shapes, engine.Shape.Equal)
	}
	if !changed {
		return nil
	}
	return n.reshape()
}

// feed writes what the host makes for a run, in the order of the layers, which
// is that of Caffe's random draws, and tells how long each took. A selection is
// followed before what lies behind it is drawn.
func (n *Net) feed(observe func(f graph.Feed, d time.Duration)) error {
	followed := 0
	for i := 0; i <= len(n.now.graph.Feeds); i++ {
		for next := n.nextSelection(followed, i); next != nil; next = n.nextSelection(followed, i) {
			if err := n.follow(*next, i); err != nil {
				return err
			}
			followed++
		}
		if i == len(n.now.graph.Feeds) {
			break
		}
		f, start := n.now.graph.Feeds[i], time.Now()
		if err := n.feedOne(f); err != nil {
			return err
		}
		observe(f, time.Since(start))
	}
	n.now.filled = true
	return nil
}

// nextSelection is the one behind those followed, if it comes before feed i.
func (n *Net) nextSelection(followed, i int) *graph.Selection {
	g := n.now.graph
	if followed == len(g.Selections) || i < len(g.Feeds) && g.Feeds[i].Layer < g.Selections[followed].Layer {
		return nil
	}
	return &g.Selections[followed]
}

// feedOne writes one feed's values.
func (n *Net) feedOne(f graph.Feed) error {
	var err error
	switch f.Kind {
	case graph.FeedData:
		err = n.nextBatch(f)
	case graph.FeedFiller:
		err = n.fill(f)
	case graph.FeedMask:
		err = n.mask(f)
	case graph.FeedSeed:
		err = n.seed(f)
	case graph.FeedMean:
		err = n.mean(f)
	case graph.FeedFile:
		err = n.readFile(f)
	}
	if err != nil {
		return n.now.graph.Layers[f.Layer].Errorf("%w", err)
	}
	return nil
}

func (n *Net) nextBatch(f graph.Feed) error {
	if f.Pixels {
		return n.nextPixels(f)
	}
	dst := make([][]float32, len(f.Values))
	for i, v := range f.Values {
		dst[i] = n.now.buffer(v)
	}
	if err := n.sources[f.Layer].Next(dst...); err != nil {
		return err
	}
	return n.now.flush(f)
}

// nextPixels sends the bytes of a batch from where the source has them.
func (n *Net) nextPixels(f graph.Feed) error {
	p := n.now.plan
	return n.sources[f.Layer].pixels.NextPixels(func(bytes []byte, windows, labels []float32) error {
		err := errors.Join(p.FeedBytes(f.Values[0], bytes), p.Feed(f.Values[1], windows))
		if len(f.Values) > 2 {
			err = errors.Join(err, p.Feed(f.Values[2], labels))
		}
		return err
	})
}

// mean writes the mean that a data layer's pictures have in common, once.
func (n *Net) mean(f graph.Feed) error {
	if n.now.filled {
		return nil
	}
	return n.now.plan.Feed(f.Values[0], f.Mean)
}

// fill draws DummyData's tops: constants once, the others each time.
func (n *Net) fill(f graph.Feed) error {
	for i, v := range f.Values {
		if n.now.filled && f.Fillers[i].GetType() == "constant" {
			continue
		}
		if err := filler.Fill(f.Fillers[i], n.now.graph.Shape(v), n.now.buffer(v), n.o.Random); err != nil {
			return err
		}
	}
	return n.now.flush(f)
}

// mask draws what Dropout multiplies by.
func (n *Net) mask(f graph.Feed) error {
	keep := 1 - float64(f.Ratio)
	scale := float32(1 / keep)
	for _, v := range f.Values {
		m := n.now.buffer(v)
		n.o.Random.Bernoulli(m, keep)
		for i := range m {
			m[i] *= scale
		}
	}
	return n.now.flush(f)
}

// seed draws the seeds of the masks that the device draws: two numbers of the stream for a
// mask, which therefore are others each run, and go on where a snapshot was taken.
func (n *Net) seed(f graph.Feed) error {
	for _, v := range f.Values {
		s := n.now.buffer(v)
		for i := 0; i < engine.SeedSize; i += 2 {
			u := n.o.Random.Uint32()
			s[i], s[i+1] = float32(u&0xffff), float32(u>>16)
		}
	}
	return n.now.flush(f)
}

// readFile fills a feed with the numbers of a .binaryproto, once.
func (n *Net) readFile(f graph.Feed) error {
	if n.now.filled {
		return nil
	}
	blob, err := proto.ReadBlob(f.File)
	if err != nil {
		return err
	}
	data, err := proto.BlobData(blob)
	if err != nil {
		return fmt.Errorf("%s: %w", f.File, err)
	}
	for _, v := range f.Values {
		if want := n.now.graph.Shape(v); len(data) != want.Count() {
			return fmt.Errorf("%s has %d numbers, want %d (%v)", f.File, len(data), want.Count(), want)
		}
		copy(n.now.buffer(v), data)
	}
	return n.now.flush(f)
}

// buffer is memory that the host fills for a feed: the device's own where the
// host can write it, else a copy that flush sends.
func (c *compiled) buffer(v graph.Value) []float32 {
	if b := c.plan.FeedBuffer(v); b != nil {
		return b
	}
	if c.stage[v] == nil {
		c.stage[v] = make([]float32, c.graph.Shape(v).Count())
	}
	return c.stage[v]
}

// flush sends a feed's values that buffer has not given device memory for.
func (c *compiled) flush(f graph.Feed) error {
	for _, v := range f.Values {
		if b, ok := c.stage[v]; ok {
			if err := c.plan.Feed(v, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// Loss is the total weighted loss of the last Forward; 0 in a net without one.
func (n *Net) Loss() (float32, error) {
	if n.now.graph.Loss == graph.None {
		return 0, nil
	}
	return n.scalar(n.now.graph.Loss)
}

// LossLater is Loss without waiting: to has it after Wait.
func (n *Net) LossLater(to []float32) error {
	if n.now.graph.Loss == graph.None {
		to[0] = 0
		return nil
	}
	return n.now.plan.FetchLater(n.now.graph.Loss, to[:1])
}

// Wait waits for what runs on the device: nothing, where that works while the host waits
// anyway (Ahead is false then). It tells the errors of all runs since the last wait.
func (n *Net) Wait() error { return n.now.plan.Wait() }

// Ahead reports whether a run may be under way when it returns, so that the host can
// prepare the next one.
func (n *Net) Ahead() bool { return n.now.plan.Ahead() }

func (n *Net) scalar(v graph.Value) (float32, error) {
	var x [1]float32
	err := n.now.plan.Fetch(v, x[:])
	return x[0], err
}
