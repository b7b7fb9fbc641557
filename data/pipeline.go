package data

import (
	"sync"

	"github.com/gocaffe/gocaffe/rng"
)

// pipeline is the goroutines of a Loader: one reads records and draws their random numbers, in their order; the others decode and
// transform. Batches go round: free, to the reader, at once to full (and meanwhile to the workers), to the net, free.
type pipeline struct {
	free, full chan *batch
	jobs       chan *batch // each batch once for each worker
	quit       chan struct{}
	running    sync.WaitGroup

	// The reader's own.
	source       Source
	transform    *transform
	random       *rng.Source
	at           progress
	rank, ranks  int64
	helpers      int
	raw          bool   // pictures stay bytes where they can
	inline       worker // for batches that are not worth handing out
	log          Logger
	announceWrap bool
}

func newPipeline(l *Loader, random *rng.Source) *pipeline {
	p := &pipeline{
		free: make(chan *batch, l.prefetch), full: make(chan *batch, l.prefetch),
		jobs: make(chan *batch, l.prefetch*l.workers), quit: make(chan struct{}),
		source: l.source, transform: l.transform, random: random, at: l.consumed, rank: l.rank, ranks: l.ranks, helpers: l.workers, raw: l.raw,
		inline: worker{decoding: l.decoding}, log: l.log, announceWrap: l.logWraps,
	}
	for range l.prefetch {
		p.free <- newBatch(l.batch)
	}
	p.running.Add(1 + l.workers)
	for range l.workers {
		go p.work(&worker{decoding: l.decoding})
	}
	go p.read()
	return p
}

func (p *pipeline) stop() {
	close(p.quit)
	p.running.Wait()
}

func (p *pipeline) work(w *worker) {
	defer p.running.Done()
	defer w.close()
	for {
		select {
		case b := <-p.jobs:
			b.work(w, p.transform)
		case <-p.quit:
			return
		}
	}
}

// read fills batches until it is stopped or the source fails.
func (p *pipeline) read() {
	defer p.running.Done()
	defer p.inline.close()
	for {
		select {
		case b := <-p.free:
			if b.readErr = p.fill(b); b.readErr != nil {
				b.err = nil
				b.done <- struct{}{}
				p.full <- b
				return
			}
			p.dispatch(b)
		case <-p.quit:
			return
		}
	}
}

// fill reads the records of a batch.
func (p *pipeline) fill(b *batch) error {
	for i := range b.records {
		if err := p.next(&b.records[i]); err != nil {
			return err
		}
		b.draws[i] = p.transform.draw(p.random.Uint32)
	}
	b.after = p.at
	return nil
}

// next reads the next record that is for this rank.
func (p *pipeline) next(rec *Record) error {
	for {
		last, err := p.source.Next(rec)
		if err != nil {
			return err
		}
		mine := p.ranks <= 1 || p.at.Offset%p.ranks == p.rank
		p.at.Offset++
		p.at.Pos++
		p.at.After = rec.Key
		if last {
			p.at.Mark = Mark{Round: p.at.Round + 1}
			if p.announceWrap {
				p.log.Infof("data_layer.cpp", 73, "Restarting data prefetching from start.")
			}
		}
		if mine {
			p.at.Records++
			return nil
		}
	}
}

// smallBatch is the size in bytes below which handing a batch of raw pixels to other goroutines costs more than it gains.
const smallBatch = 256 << 10

// dispatch gives a batch to the net, which will wait for it, and to the workers.
func (p *pipeline) dispatch(b *batch) {
	p.full <- b
	if p.small(b) {
		b.prepare(1, p.raw)
		b.work(&p.inline, p.transform)
		return
	}
	b.prepare(p.helpers, p.raw)
	for range p.helpers {
		p.jobs <- b
	}
}

// small tells batches of few raw pixels.
func (p *pipeline) small(b *batch) bool {
	bytes := 0
	for i := range b.records {
		if b.records[i].Line > 0 {
			return false
		}
		bytes += len(b.records[i].Value)
	}
	d := &p.inline.datum
	return bytes < smallBatch && d.Parse(b.records[0].Value) == nil && !d.Encoded
}
