package main

import (
	"encoding/json"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// timeNet measures -iterations forward and backward passes of the net of -model, layer by layer.
func timeNet(a *app) (err error) {
	if a.flags.model == "" {
		return fatalf("caffe.cpp", 331, "Need a model definition to time. Name its prototxt with -model")
	}
	phase, err := a.flags.phaseOr(caffepb.Phase_TRAIN)
	if err != nil {
		return err
	}
	if err := a.checkIterations(); err != nil {
		return err
	}
	dev, err := a.openDevice(a.firstGPU(339, 0), 343)
	if err != nil {
		return err
	}
	defer closing(dev, &err)
	n, err := a.newNet(phase, net.Options{Device: dev, Backward: true})
	if err != nil {
		return err
	}
	defer closing(n, &err)
	t := newTimings(n, phase, dev.Info(), int(a.flags.iterations))
	if err := a.measure(n, t); err != nil {
		return fatalAt("caffe.cpp", 365, err)
	}
	a.report(t)
	if a.flags.json {
		return json.NewEncoder(a.stdout).Encode(t)
	}
	return nil
}

// measure warms up with one pass and times the others.
func (a *app) measure(n *net.Net, t *timings) error {
	a.log.Infof("caffe.cpp", 351, "Performing Forward")
	if err := n.Forward(); err != nil {
		return err
	}
	loss, err := n.Loss()
	if err != nil {
		return err
	}
	a.log.Infof("caffe.cpp", 356, "Initial loss: %s", glog.G(loss))
	a.log.Infof("caffe.cpp", 357, "Performing Backward")
	if err := n.Backward(); err != nil {
		return err
	}
	a.log.Infof("caffe.cpp", 365, "*** Benchmark begins ***")
	a.log.Infof("caffe.cpp", 366, "Testing for %d iterations.", t.Iterations)
	start := time.Now()
	for i := range t.Iterations {
		begin := time.Now()
		if err := t.pass(n); err != nil {
			return err
		}
		a.log.Infof("caffe.cpp", 394, "Iteration: %d forward-backward time: %s ms.", i+1, glog.G(ms(time.Since(begin))))
	}
	t.Total = ms(time.Since(start))
	t.average()
	return nil
}

// report logs Caffe's table.
func (a *app) report(t *timings) {
	a.log.Infof("caffe.cpp", 397, "Average time per layer: ")
	for _, l := range t.Layers {
		a.log.Infof("caffe.cpp", 400, "%10s\tforward: %s ms.", l.Name, glog.G(l.Forward))
		a.log.Infof("caffe.cpp", 403, "%10s\tbackward: %s ms.", l.Name, glog.G(l.Backward))
	}
	a.log.Infof("caffe.cpp", 408, "Average Forward pass: %s ms.", glog.G(t.Forward))
	a.log.Infof("caffe.cpp", 410, "Average Backward pass: %s ms.", glog.G(t.Backward))
	a.log.Infof("caffe.cpp", 412, "Average Forward-Backward: %s ms.", glog.G(t.ForwardBackward))
	a.log.Infof("caffe.cpp", 414, "Total Time: %s ms.", glog.G(t.Total))
	a.log.Infof("caffe.cpp", 415, "*** Benchmark ends ***")
}

// timings are averages over the iterations in milliseconds; Total is their sum. A layer that was fused into another shows 0: its
// time is the other's.
type timings struct {
	Name            string      `json:"name"`
	Phase           string      `json:"phase"`
	Engine          string      `json:"engine"`
	Threads         int         `json:"threads"`
	Iterations      int         `json:"iterations"`
	Layers          []layerTime `json:"layers"`
	Forward         float64     `json:"forward_ms"`
	Backward        float64     `json:"backward_ms"`
	ForwardBackward float64     `json:"forward_backward_ms"`
	Total           float64     `json:"total_ms"`
}

type layerTime struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Forward  float64 `json:"forward_ms"`
	Backward float64 `json:"backward_ms"`
	// ForwardWork and BackwardWork are multiply-adds of a whole batch.
	ForwardWork  int64 `json:"forward_multiply_adds"`
	BackwardWork int64 `json:"backward_multiply_adds"`
}

func newTimings(n *net.Net, phase caffepb.Phase, info engine.Info, iterations int) *timings {
	t := &timings{Name: n.Name(), Phase: phase.String(), Engine: info.Engine, Threads: info.Threads, Iterations: iterations}
	work := n.Work()
	for i, l := range n.Spec().Layers {
		t.Layers = append(t.Layers, layerTime{Name: l.GetName(), Type: l.GetType(), ForwardWork: work[i].Forward, BackwardWork: work[i].Backward})
	}
	return t
}

// pass runs forward and backward once. The time of a direction includes what lies between the layers' steps.
func (t *timings) pass(n *net.Net) error {
	for _, dir := range []graph.Direction{graph.Forward, graph.Backward} {
		start := time.Now()
		err := n.RunTimed(func(layer int, d time.Duration) { t.add(layer, dir, d) }, dir)
		if err != nil {
			return err
		}
		if dir == graph.Forward {
			t.Forward += ms(time.Since(start))
		} else {
			t.Backward += ms(time.Since(start))
		}
	}
	return nil
}

func (t *timings) add(layer int, dir graph.Direction, d time.Duration) {
	switch {
	case layer < 0: // the sum of the losses belongs to no layer
	case dir == graph.Forward:
		t.Layers[layer].Forward += ms(d)
	default:
		t.Layers[layer].Backward += ms(d)
	}
}

// average divides the sums by the number of passes.
func (t *timings) average() {
	count := float64(t.Iterations)
	for i := range t.Layers {
		t.Layers[i].Forward /= count
		t.Layers[i].Backward /= count
	}
	t.Forward /= count
	t.Backward /= count
	t.ForwardBackward = t.Total / count
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
