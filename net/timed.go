package net

import (
	"slices"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// Part is what RunTimed times: a step of the plan or a feed.
type Part struct {
	Layer int // index in Spec().Layers, -1 for what no layer caused
	Dir   graph.Direction
	Op    engine.Op      // nil for a feed
	Feed  graph.FeedKind // what the host did, where Op is nil
}

// RunTimed runs the given directions with each step timed on its own. A layer's feed is
// a part of Forward: waiting for a data layer's batch, drawing DummyData. Steps do not
// overlap, so this is for measuring. What is computed from params alone is not told
// while they stay as they are: it does not run.
func (n *Net) RunTimed(observe func(p Part, d time.Duration), dirs ...graph.Direction) error {
	if slices.Contains(dirs, graph.Forward) {
		if err := n.followShapes(); err != nil {
			return err
		}
		if err := n.feed(func(f graph.Feed, d time.Duration) { observe(Part{Layer: f.Layer, Feed: f.Kind}, d) }); err != nil {
			return err
		}
	}
	return n.now.plan.RunTimed(func(s *plan.Step, d time.Duration) { observe(Part{Layer: s.Layer, Dir: s.Dir, Op: s.Op}, d) }, dirs...)
}
