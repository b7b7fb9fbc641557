package net

import (
	"slices"
	"time"

	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// RunTimed runs Forward, Backward or both with each step timed on its own, and
// tells the time of every step by its layer's index in Spec().Layers, -1 for
// what no layer caused. A layer's feed is a step of it: waiting for a data
// layer's batch, drawing DummyData. Steps do not overlap, so this is for
// measuring.
func (n *Net) RunTimed(observe func(layer int, d time.Duration), dirs ...graph.Direction) error {
	if slices.Contains(dirs, graph.Forward) {
		if err := n.followShapes(); err != nil {
			return err
		}
		if err := n.feed(observe); err != nil {
			return err
		}
	}
	return n.now.plan.RunTimed(func(s *plan.Step, d time.Duration) { observe(s.Layer, d) }, dirs...)
}
