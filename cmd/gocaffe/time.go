package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/solver"
)

// timeNet measures -iterations forward and backward passes of the net of -model, layer by layer, and with -solver the update. A net
// in phase TEST is what `test` and `forward` run, without gradients: its backward pass takes no time.
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
	update, err := a.timedUpdate(phase)
	if err != nil {
		return err
	}
	dev, err := a.openDevice(a.firstGPU(339, 0), 343)
	if err != nil {
		return err
	}
	defer closing(dev, &err)
	n, err := a.newNet(phase, net.Options{Device: dev, Backward: phase == caffepb.Phase_TRAIN, Update: update})
	if err != nil {
		return err
	}
	defer closing(n, &err)
	t := newTimings(n, phase, dev.Info(), int(a.flags.iterations))
	t.updates = update != nil
	if err := a.measure(n, t); err != nil {
		return fatalAt("caffe.cpp", 365, err)
	}
	a.report(t)
	a.reportOwn(t)
	if a.flags.json {
		return json.NewEncoder(a.stdout).Encode(t)
	}
	return nil
}

// timedUpdate is the update of -solver, nil without one.
func (a *app) timedUpdate(phase caffepb.Phase) (*graph.UpdateOptions, error) {
	if a.flags.solver == "" {
		return nil, nil
	}
	if phase != caffepb.Phase_TRAIN {
		return nil, fatalf("gocaffe.go", 1, "time -solver measures the update, which a net in phase TEST has not: leave -solver or -phase out")
	}
	f, err := proto.ReadSolver(a.flags.solver)
	if err != nil {
		return nil, fatalAt("io.cpp", 36, err)
	}
	a.logRead(f.Log, f.Warnings)
	update, err := solver.UpdateRule(f)
	return update, fatalAt("solver.cpp", 45, err)
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
	dirs := []graph.Direction{graph.Forward, graph.Backward}
	if t.updates {
		dirs = append(dirs, graph.ApplyUpdate)
		if err := n.ApplyUpdate(); err != nil {
			return err
		}
	}
	if n.Ahead() { // the second run of each is recorded
		for _, dir := range dirs {
			if err := whole(n, dir); err != nil {
				return err
			}
		}
	}
	a.log.Infof("caffe.cpp", 365, "*** Benchmark begins ***")
	a.log.Infof("caffe.cpp", 366, "Testing for %d iterations.", t.Iterations)
	for i := range t.Iterations {
		before := t.Forward + t.Backward
		if err := t.pass(n); err != nil {
			return err
		}
		a.log.Infof("caffe.cpp", 394, "Iteration: %d forward-backward time: %s ms.", i+1, glog.G(t.Forward+t.Backward-before))
		if err := t.update(n); err != nil {
			return err
		}
	}
	t.Total = t.Forward + t.Backward
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

// reportOwn logs what Caffe's table does not show.
func (a *app) reportOwn(t *timings) {
	for _, l := range t.Layers {
		if l.Update > 0 {
			a.log.Infof("gocaffe.go", 1, "%10s\tupdate: %s ms.", l.Name, glog.G(l.Update))
		}
		if l.Reorders > 0 {
			a.log.Infof("gocaffe.go", 1, "%10s\treorders: %s ms.", l.Name, glog.G(l.Reorders))
		}
		if l.DataWait > 0 {
			a.log.Infof("gocaffe.go", 1, "%10s\tdata wait: %s ms.", l.Name, glog.G(l.DataWait))
		}
	}
	a.log.Infof("gocaffe.go", 1, "Average time per operation: ")
	for _, o := range t.Ops {
		a.log.Infof("gocaffe.go", 1, "%20s\t%s: %s ms in %d steps.", o.Op, o.Direction, glog.G(o.Milliseconds), o.Steps)
	}
	a.log.Infof("gocaffe.go", 1, "Average Reorders: %s ms, a part of the passes.", glog.G(t.Reorders))
	a.log.Infof("gocaffe.go", 1, "Average Data wait: %s ms, a part of the forward pass.", glog.G(t.DataWait))
	if t.updates {
		a.log.Infof("gocaffe.go", 1, "Average Update: %s ms, beside the passes.", glog.G(t.Update))
	} else if t.Phase == caffepb.Phase_TRAIN.String() {
		a.log.Infof("gocaffe.go", 1, "The update is not measured: name its solver with -solver.")
	}
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
	// Update is beside the passes; Reorders (copies into other layouts or types) and DataWait (for data layers' batches) are parts of them.
	Update   float64  `json:"update_ms"`
	Reorders float64  `json:"reorders_ms"`
	DataWait float64  `json:"data_wait_ms"`
	Ops      []opTime `json:"ops"`

	updates bool
}

type layerTime struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Forward  float64 `json:"forward_ms"`
	Backward float64 `json:"backward_ms"`
	Update   float64 `json:"update_ms"`
	Reorders float64 `json:"reorders_ms"`
	DataWait float64 `json:"data_wait_ms"`
	// ForwardWork and BackwardWork are multiply-adds of a whole batch.
	ForwardWork  int64 `json:"forward_multiply_adds"`
	BackwardWork int64 `json:"backward_multiply_adds"`
}

// opTime is all steps of one kind in one direction.
type opTime struct {
	Op           string  `json:"op"`
	Direction    string  `json:"direction"`
	Steps        int     `json:"steps"` // that run each time
	Milliseconds float64 `json:"ms"`
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
		d, err := t.run(n, dir)
		if err != nil {
			return err
		}
		if dir == graph.Forward {
			t.Forward += d
		} else {
			t.Backward += d
		}
	}
	return nil
}

// update runs the update once, where there is one.
func (t *timings) update(n *net.Net) error {
	if !t.updates {
		return nil
	}
	d, err := t.run(n, graph.ApplyUpdate)
	t.Update += d
	return err
}

// run runs a direction with each step timed and gives its time. A GPU is slower when each of its steps is waited for, and does not replay
// its recording: there the direction runs once more as in a training, for its time.
func (t *timings) run(n *net.Net, dir graph.Direction) (float64, error) {
	start := time.Now()
	err := n.RunTimed(func(p net.Part, d time.Duration) { t.add(p, ms(d)) }, dir)
	if err == nil && n.Ahead() {
		start = time.Now()
		err = whole(n, dir)
	}
	return ms(time.Since(start)), err
}

// whole runs a direction as a training does, and waits for it.
func whole(n *net.Net, dir graph.Direction) error {
	run := map[graph.Direction]func() error{graph.Forward: n.Forward, graph.Backward: n.Backward, graph.ApplyUpdate: n.ApplyUpdate}
	return errors.Join(run[dir](), n.Wait())
}

func (t *timings) add(p net.Part, d float64) {
	t.addOp(p, d)
	l := &layerTime{} // the sum of the losses belongs to no layer
	if p.Layer >= 0 {
		l = &t.Layers[p.Layer]
	}
	switch p.Dir {
	case graph.Forward:
		l.Forward += d
	case graph.Backward:
		l.Backward += d
	default:
		l.Update += d
	}
	if _, reorder := p.Op.(engine.Reorder); reorder {
		l.Reorders += d
		t.Reorders += d
	}
	if p.Op == nil && p.Feed == graph.FeedData {
		l.DataWait += d
		t.DataWait += d
	}
}

// addOp adds to the row of the part's kind.
func (t *timings) addOp(p net.Part, d float64) {
	name := "feed"
	if p.Op != nil {
		name = strings.TrimPrefix(fmt.Sprintf("%T", p.Op), "engine.")
	}
	for i := range t.Ops {
		if o := &t.Ops[i]; o.Op == name && o.Direction == p.Dir.String() {
			o.Milliseconds += d
			o.Steps++
			return
		}
	}
	t.Ops = append(t.Ops, opTime{name, p.Dir.String(), 1, d})
}

// average divides the sums by the number of passes and puts what takes longest first.
func (t *timings) average() {
	count := float64(t.Iterations)
	for i := range t.Layers {
		l := &t.Layers[i]
		for _, v := range []*float64{&l.Forward, &l.Backward, &l.Update, &l.Reorders, &l.DataWait} {
			*v /= count
		}
	}
	for i := range t.Ops {
		t.Ops[i].Milliseconds /= count
		t.Ops[i].Steps /= t.Iterations
	}
	slices.SortFunc(t.Ops, func(a, b opTime) int { return cmp.Compare(b.Milliseconds, a.Milliseconds) })
	for _, v := range []*float64{&t.Forward, &t.Backward, &t.Update, &t.Reorders, &t.DataWait} {
		*v /= count
	}
	t.ForwardBackward = t.Total / count
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
