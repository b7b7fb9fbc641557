package main

import (
	"fmt"

	"github.com/gocaffe/gocaffe/data/hdf5/snapshot"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/solver"
)

// train trains the net of -solver, from scratch, from -weights or from -snapshot.
func train(a *app) (err error) {
	if a.flags.solver == "" {
		return fatalf("caffe.cpp", 167, "Need a solver definition to train. Name its prototxt with -solver")
	}
	if a.flags.snapshot != "" && a.flags.weights != "" {
		return fatalf("caffe.cpp", 168, "Give a snapshot to resume training or weights to finetune but not both.")
	}
	f, err := proto.ReadSolver(a.flags.solver)
	if err != nil {
		return fatalAt("io.cpp", 36, err)
	}
	a.logRead(f.Log, f.Warnings)
	dev, err := a.trainDevice(f)
	if err != nil {
		return err
	}
	defer closing(dev, &err)
	sig, err := a.flags.watch()
	if err != nil {
		return err
	}
	defer sig.close()
	o := a.solverOptions(dev, sig)
	if a.flags.metrics != "" {
		m, err := openMetrics(a.flags.metrics)
		if err != nil {
			return fatalf("gocaffe.go", 1, "-metrics: %v", err)
		}
		defer closing(m, &err)
		o.Metrics = a.metricsInto(m)
	}
	s, err := solver.New(f, o)
	if err != nil {
		return fatalAt("solver.cpp", 45, err)
	}
	defer closing(s, &err)
	a.log.Infof("caffe.cpp", 239, "Starting Optimization")
	if err := s.Solve(); err != nil {
		return fatalAt("solver.cpp", 289, err)
	}
	a.log.Infof("caffe.cpp", 250, "Optimization Done.")
	if sig.terminated {
		return errTerminated
	}
	return nil
}

func (a *app) solverOptions(dev engine.Device, sig *signals) solver.Options {
	o := solver.Options{
		Device: dev, Open: a.openSource, Sink: a.openSink, Log: a.trainLog(), Action: sig.action, Snapshot: a.flags.snapshot,
		Level: int(a.flags.level), Stages: a.flags.stages(), Compat: a.flags.bvlc(), HDF5: snapshot.HDF5{},
		Progress: func(p solver.Progress) { a.log.Progress(glog.Progress(p)) },
	}
	if a.flags.weights != "" {
		o.Weights = []string{a.flags.weights}
	}
	return o
}

// metricsInto writes to m until that fails once: a full disk there must not end a training.
func (a *app) metricsInto(m *metricsFile) func(solver.Metrics) error {
	failed := false
	return func(v solver.Metrics) error {
		if failed {
			return nil
		}
		if err := m.write(v); err != nil {
			failed = true
			a.log.Warningf("gocaffe.go", 1, "-metrics: %v; the training goes on without", err)
		}
		return nil
	}
}

// trainDevice opens the device. Where the command line names none, an explicit solver_mode: GPU counts; a solver file without
// solver_mode trains on the CPU, in Caffe too.
func (a *app) trainDevice(f *proto.SolverFile) (engine.Device, error) {
	s := f.Solver
	other := a.flags.engine != "" && a.flags.engine != cuda.Name
	if a.flags.gpu != "" || other || s.SolverMode == nil || s.GetSolverMode() != caffepb.SolverParameter_GPU {
		return a.openDevice(a.trainGPU(), 197)
	}
	a.flags.gpu = fmt.Sprint(s.GetDeviceId())
	dev, err := a.openDevice(a.trainGPU(), 197)
	if err != nil {
		err = fmt.Errorf("%w (solver_mode: GPU at %s; -engine cpu trains on the CPU in spite of it)", err, f.FieldPos("solver_mode"))
	}
	return dev, err
}
