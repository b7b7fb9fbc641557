// Package solver trains a net as Caffe does: the update rules and rate policies, the loop with its
// tests, displays and snapshots, and resuming from them.
package solver

import (
	crand "crypto/rand"
	"encoding/binary"
	"errors"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
	pb "google.golang.org/protobuf/proto"
)

// Caffe's source files, as its log names them.
const (
	solverFile  = "solver.cpp"
	sgdFile     = "sgd_solver.cpp"
	caffeFile   = "caffe.cpp"
	netFile     = "net.cpp"
	upgradeFile = "upgrade_proto.cpp"
	ownFile     = "gocaffe.go" // of lines that Caffe does not have
)

// Action is what the surroundings ask of a training, most often for a signal.
type Action int

// The actions.
const (
	None         Action = iota
	Stop                // end after this iteration, with the last snapshot if the solver takes one
	Snapshot            // take a snapshot and go on
	SnapshotStop        // end after this iteration, with a snapshot in any case
)

// Progress is where a training stands after an iteration.
type Progress struct {
	Iteration, MaxIter int
	Rate               float64 // iterations a second, lately
	Loss               float32 // the smoothed loss
}

// Options says what the solver file leaves open. Device is required, and Open where the nets have
// data layers.
type Options struct {
	Device engine.Device
	// Open opens the source of a data layer, as net.Options.Open.
	Open func(l *spec.Layer, draw func() uint32) (net.Source, error)
	// Sink opens what a layer writes to, as net.Options.Sink.
	Sink func(l *spec.Layer) (net.Sink, error)
	// Log takes Caffe's log; one with Errorf gets lines of that severity too. Nil is no log.
	Log net.Logger
	// Action is asked after each iteration and before each batch of a test, until it answers None or
	// a stop. Nil is None.
	Action func() Action
	// Progress is called after each iteration, if not nil.
	Progress func(Progress)
	// Metrics is called at each display, if not nil; its error ends the training.
	Metrics func(Metrics) error

	// Weights are files to start from, in this order; each may be a list with commas. They replace
	// those of the solver file.
	Weights []string
	// Snapshot is a .solverstate or .solverstate.h5 to resume from. It excludes weights.
	Snapshot string
	// Stages, if not nil, are added to the stages of train_state, whose level becomes Level.
	Stages []string
	Level  int

	// HDF5 reads and writes HDF5 files; nil where the program has no libhdf5.
	HDF5 HDF5
	// Compat keeps Caffe's defects: a loss that is no number does not end the training.
	Compat bool
}

// HDF5 is Caffe's snapshot format HDF5. Messages stand for the files' contents.
type HDF5 interface {
	ReadWeights(path string) (*caffepb.NetParameter, error)
	WriteWeights(path string, weights *caffepb.NetParameter) error
	ReadState(path string) (*caffepb.SolverState, error)
	WriteState(path string, state *caffepb.SolverState) error
}

// Solver is a training: nets, rule and position. It is used by one goroutine at a time.
type Solver struct {
	file   *proto.SolverFile
	param  *caffepb.SolverParameter
	o      Options
	log    net.Logger
	random *rng.Source

	train  *net.Net
	tests  []*net.Net
	policy ratePolicy
	window *lossWindow
	losses pendingLosses
	resume *lossWindow // the window of a resumed run, for the first step

	iter     int
	stopping bool // asked to stop
	forced   bool // and to take a snapshot in any case
	saved    int  // the iteration of the last snapshot, -1 before
	lastFile string
	before   *position // of data and draws at the start of the test that runs, nil outside tests

	hyper   [engine.HyperSize]float32
	display displayClock
	outputs []float32 // of a net, reused
	disk    disk
}

// New checks the settings, logs them as Caffe does, builds all nets and reads weights or the
// snapshot to resume from. An error lists everything that is wrong with the settings, by file and
// line.
func New(f *proto.SolverFile, o Options) (*Solver, error) {
	if o.Log == nil {
		o.Log = silence{}
	}
	if o.Action == nil {
		o.Action = func() Action { return None }
	}
	s := &Solver{file: f, param: pb.CloneOf(f.Solver), o: o, log: o.Log, saved: -1, disk: osDisk{}}
	s.override()
	s.policy = ratePolicy{param: s.param, log: s.log}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// override lets the options change the solver's parameters, as Caffe's flags do.
func (s *Solver) override() {
	if s.o.Stages != nil {
		if s.param.TrainState == nil {
			s.param.TrainState = new(caffepb.NetState)
		}
		s.param.TrainState.Level = pb.Int32(int32(s.o.Level))
		s.param.TrainState.Stage = append(s.param.TrainState.Stage, s.o.Stages...)
	}
	if s.o.Snapshot != "" {
		s.param.Weights = nil
	} else if len(s.o.Weights) > 0 {
		s.param.Weights = s.o.Weights
	}
}

func (s *Solver) start() error {
	if s.o.Snapshot != "" && len(s.o.Weights) > 0 {
		return errors.New("Give a snapshot to resume training or weights to finetune but not both.")
	}
	if err := checkSettings(s.file, s.param, &s.o); err != nil {
		return err
	}
	s.log.Infof(solverFile, 45, "Initializing solver from parameters: \n%s", proto.Text(s.param))
	if s.param.BaseLr == nil {
		s.warnf("%s: base_lr is not set, so it is 0 and nothing will be learned", s.file.FieldPos("base_lr"))
	}
	if err := s.probePrefix(); err != nil {
		return err
	}
	if err := s.seed(); err != nil {
		return err
	}
	if err := s.buildNets(); err != nil {
		return err
	}
	s.log.Infof(solverFile, 57, "Solver scaffolding done.")
	if s.o.Snapshot == "" {
		return nil
	}
	s.log.Infof(caffeFile, 235, "Resuming from %s", s.o.Snapshot)
	return s.restore(s.o.Snapshot)
}

// seed starts the random stream: random_seed, or a new one each time where that is negative.
func (s *Solver) seed() error {
	seed := uint32(s.param.GetRandomSeed())
	if s.param.GetRandomSeed() < 0 {
		var b [4]byte
		if _, err := crand.Read(b[:]); err != nil {
			return err
		}
		seed = binary.LittleEndian.Uint32(b[:])
	}
	s.random = rng.New(seed)
	return nil
}

// Param is the solver's parameters with the options applied.
func (s *Solver) Param() *caffepb.SolverParameter { return s.param }

// Train is the net that is trained.
func (s *Solver) Train() *net.Net { return s.train }

// Tests are the test nets in order.
func (s *Solver) Tests() []*net.Net { return s.tests }

// Iteration is how often the weights have been updated.
func (s *Solver) Iteration() int { return s.iter }

// Close closes all nets.
func (s *Solver) Close() error {
	var errs []error
	for _, t := range s.tests {
		errs = append(errs, t.Close())
	}
	if s.train != nil {
		errs = append(errs, s.train.Close())
	}
	s.tests, s.train = nil, nil
	return errors.Join(errs...)
}

type silence struct{}

func (silence) Infof(string, int, string, ...any)    {}
func (silence) Warningf(string, int, string, ...any) {}

// warnf logs a warning that Caffe does not have.
func (s *Solver) warnf(format string, args ...any) { s.log.Warningf(ownFile, 1, format, args...) }

// errorf logs at the severity ERROR where the logger has it.
func (s *Solver) errorf(file string, line int, format string, args ...any) {
	if l, ok := s.log.(interface {
		Errorf(file string, line int, format string, args ...any)
	}); ok {
		l.Errorf(file, line, format, args...)
		return
	}
	s.log.Warningf(file, line, format, args...)
}
