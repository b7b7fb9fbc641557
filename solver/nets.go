package solver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	pb "google.golang.org/protobuf/proto"
)

// netSource is where a net comes from: a file, or a field of the solver's file.
type netSource struct {
	path   string // of the file, or ""
	inline string // of the field, or ""
	text   string // how the log names it
}

// read reads the net. Each net is read anew, as building one may change what was read.
func (s *Solver) read(from netSource) (*proto.NetFile, error) {
	var f *proto.NetFile
	var err error
	if from.path != "" {
		f, err = proto.ReadNet(from.path)
	} else {
		f, err = s.file.InlineNet(from.inline)
	}
	if err != nil {
		return nil, err
	}
	if f == nil { // a solver that was changed in memory after its file was read
		return nil, fmt.Errorf("%s: there is no %s in the file", s.file.Path, from.inline)
	}
	s.logRead(f.Log, f.Warnings)
	return f, nil
}

// logRead logs what the reading of a file had to say.
func (s *Solver) logRead(lines []proto.LogLine, warnings []string) {
	for _, l := range lines {
		switch l.Severity {
		case 'E':
			s.errorf(upgradeFile, 1, "%s", l.Text)
		case 'W':
			s.log.Warningf(upgradeFile, 1, "%s", l.Text)
		default:
			s.log.Infof(upgradeFile, 1, "%s", l.Text)
		}
	}
	for _, w := range warnings {
		s.warnf("%s", w)
	}
}

func (s *Solver) buildNets() error {
	if err := s.buildTrain(); err != nil {
		return err
	}
	for i, from := range s.testSources() {
		if err := s.buildTest(i, from); err != nil {
			return err
		}
	}
	return nil
}

func (s *Solver) trainSource() (netSource, int) {
	p := s.param
	switch {
	case p.TrainNetParam != nil:
		return netSource{inline: "train_net_param", text: "specified in train_net_param."}, 88
	case p.TrainNet != nil:
		return netSource{path: p.GetTrainNet(), text: "from train_net file: " + p.GetTrainNet()}, 92
	case p.NetParam != nil:
		return netSource{inline: "net_param", text: "specified in net_param."}, 97
	}
	return netSource{path: p.GetNet(), text: "from net file: " + p.GetNet()}, 102
}

func (s *Solver) buildTrain() error {
	from, line := s.trainSource()
	s.log.Infof(solverFile, line, "Creating training net %s", from.text)
	f, err := s.read(from)
	if err != nil {
		return err
	}
	s.train, err = net.New(f, net.Options{
		Device: s.o.Device, Open: s.o.Open, Sink: s.o.Sink, Random: s.random, Log: s.log,
		State: state(caffepb.Phase_TRAIN, f.Net.State, s.param.TrainState), Update: updateOptions(s.param), KeepAll: s.param.GetDebugInfo(),
	})
	if err != nil {
		return err
	}
	return s.finetune(s.train, true)
}

// testSources are the test nets in Caffe's order: those given in the solver's file, those in files
// of their own, and the train net's for all test_iter that are left.
func (s *Solver) testSources() []netSource {
	p := s.param
	var list []netSource
	for i := range p.TestNetParam {
		list = append(list, netSource{inline: fmt.Sprintf("test_net_param[%d]", i), text: "test_net_param"})
	}
	for _, path := range p.TestNet {
		list = append(list, netSource{path: path, text: "test_net file: " + path})
	}
	for len(list) < len(p.TestIter) {
		if p.NetParam != nil {
			list = append(list, netSource{inline: "net_param", text: "net_param"})
		} else {
			list = append(list, netSource{path: p.GetNet(), text: "net file: " + p.GetNet()})
		}
	}
	return list
}

func (s *Solver) buildTest(i int, from netSource) error {
	f, err := s.read(from)
	if err != nil {
		return err
	}
	var own *caffepb.NetState
	if len(s.param.TestState) > 0 {
		own = s.param.TestState[i]
	}
	s.log.Infof(solverFile, 190, "Creating test net (#%d) specified by %s", i, from.text)
	t, err := net.New(f, net.Options{
		Device: s.o.Device, Open: s.o.Open, Sink: s.o.Sink, Random: s.random, Log: s.log, Share: s.train,
		State: state(caffepb.Phase_TEST, f.Net.State, own), KeepAll: s.param.GetDebugInfo(),
	})
	if err != nil {
		return err
	}
	s.tests = append(s.tests, t)
	return s.finetune(t, false)
}

// state merges a phase, a net's own state and the solver's, each overriding those before.
func state(phase caffepb.Phase, parts ...*caffepb.NetState) *caffepb.NetState {
	merged := &caffepb.NetState{Phase: &phase}
	for _, p := range parts {
		if p != nil {
			pb.Merge(merged, p)
		}
	}
	return merged
}

// finetune copies the weights to start from into a net. Layers that have none in any of the files
// are named once, for the train net.
func (s *Solver) finetune(n *net.Net, tell bool) error {
	initial := map[string]int{}
	var files []string
	for _, list := range s.param.Weights {
		for _, path := range strings.Split(list, ",") {
			path = strings.TrimSpace(path)
			s.log.Infof(solverFile, 72, "Finetuning from %s", path)
			weights, err := s.readWeights(path)
			if err != nil {
				return err
			}
			done, err := n.CopyTrained(weights, path)
			if err != nil {
				return err
			}
			files = append(files, path)
			for _, l := range done.Initial {
				initial[l]++
			}
		}
	}
	var missing []string
	for _, p := range n.Params() {
		if p.Index == 0 && initial[p.Layer] == len(files) && len(files) > 0 {
			missing = append(missing, p.Layer)
		}
	}
	if len(files) > 0 {
		n.Trim()
	}
	if tell && len(missing) > 0 {
		s.warnf("%s has no weights for %s: they start from their fillers", strings.Join(files, ","), strings.Join(missing, ", "))
	}
	return nil
}

// hdf5Signature is how HDF5 files begin.
const hdf5Signature = "\x89HDF\r\n\x1a\n"

// isHDF5 looks into a file; one that cannot be read is none.
func isHDF5(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(hdf5Signature))
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, []byte(hdf5Signature))
}

// readWeights reads a .caffemodel of either format, which its contents decide.
func (s *Solver) readWeights(path string) (*caffepb.NetParameter, error) {
	if isHDF5(path) {
		if s.o.HDF5 == nil {
			return nil, fmt.Errorf("%s is an HDF5 file, and this program was built without libhdf5", path)
		}
		return s.o.HDF5.ReadWeights(path)
	}
	f, err := proto.ReadNetBinary(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("Couldn't open %s: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	s.logRead(f.Log, f.Warnings)
	return f.Net, nil
}
