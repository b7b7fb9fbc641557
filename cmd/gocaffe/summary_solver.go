package main

import (
	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/solver"
)

// summarySolver reads -solver, if it is given: the memory of train is predicted for its rule and its test nets. Its net is the one of
// the summary, unless -model names another.
func (a *app) summarySolver(o *net.SummaryOptions) (*caffepb.SolverParameter, error) {
	if a.flags.solver == "" {
		return nil, nil
	}
	f, err := proto.ReadSolver(a.flags.solver)
	if err != nil {
		return nil, fatalAt("io.cpp", 36, err)
	}
	a.logRead(f.Log, f.Warnings)
	rule, err := solver.UpdateRule(f)
	if err != nil {
		return nil, fatalAt("solver.cpp", 45, err)
	}
	o.Update = *rule
	p := f.Solver
	for _, path := range []string{p.GetTrainNet(), p.GetNet()} {
		if a.flags.model == "" {
			a.flags.model = path
		}
	}
	if a.flags.model == "" {
		return nil, fatalf("gocaffe.go", 1, "%s: its net is written in the file itself: give summary a prototxt with -model", f.Path)
	}
	return p, nil
}

// addTests adds the test nets of a solver to the memory that train is predicted to take.
func (a *app) addTests(s *net.Summary, p *caffepb.SolverParameter, o net.SummaryOptions) error {
	paths := p.GetTestNet()
	if len(p.GetTestNetParam()) > 0 || p.NetParam != nil && len(p.GetTestIter()) > len(paths) {
		s.Assumed = append(s.Assumed, "the memory of test nets that are written in the solver's file is not counted")
	}
	for p.Net != nil && len(paths)+len(p.GetTestNetParam()) < len(p.GetTestIter()) {
		paths = append(paths, p.GetNet())
	}
	for i, path := range paths {
		f, err := proto.ReadNet(path)
		if err != nil {
			return fatalAt("upgrade_proto.cpp", 90, err)
		}
		o.State = &caffepb.NetState{Phase: caffepb.Phase_TEST.Enum()}
		if f.Net.State != nil {
			pb.Merge(o.State, f.Net.State)
		}
		if at := len(p.GetTestNetParam()) + i; at < len(p.GetTestState()) {
			pb.Merge(o.State, p.GetTestState()[at])
		}
		o.State.Phase = caffepb.Phase_TEST.Enum()
		t, err := net.Summarize(f, o)
		if err != nil {
			return fatalAt("solver.cpp", 190, err)
		}
		s.AddTest(t)
	}
	return nil
}
