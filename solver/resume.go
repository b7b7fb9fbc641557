package solver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// restore continues where a snapshot was taken.
func (s *Solver) restore(path string) error {
	state, err := s.readState(path)
	if err != nil {
		return err
	}
	if err := s.checkHistory(path, state); err != nil {
		return err
	}
	side, err := s.findSide(path, state)
	if err != nil {
		return err
	}
	if state.LearnedNet != nil {
		if err := s.restoreWeights(path, state.GetLearnedNet(), side); err != nil {
			return err
		}
	}
	s.iter, s.policy.step = int(state.GetIter()), int(state.GetCurrentStep())
	s.log.Infof(sgdFile, 336, "SGDSolver: restoring history")
	if err := s.restoreHistory(path, state); err != nil {
		return err
	}
	s.train.Trim()
	s.lastFile = path
	if side == nil {
		s.warnf("%s is not there: the data starts again at its first record and random numbers anew, as in Caffe", sidePath(path))
		return nil
	}
	return s.restorePosition(sidePath(path), side)
}

func (s *Solver) readState(path string) (*caffepb.SolverState, error) {
	if strings.HasSuffix(path, ".h5") || isHDF5(path) {
		if s.o.HDF5 == nil {
			return nil, fmt.Errorf("%s is an HDF5 file, and this program was built without libhdf5", path)
		}
		return s.o.HDF5.ReadState(path)
	}
	state, err := proto.ReadSolverState(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && isModel(path) {
		return nil, fmt.Errorf("%w. %s", err, modelHint(path))
	}
	return state, err
}

// isModel reports whether a file has the layers of a .caffemodel.
func isModel(path string) bool {
	w, err := proto.ReadNetWeights(path)
	return err == nil && len(w.GetLayer()) > 0
}

func modelHint(path string) string {
	stem := strings.TrimSuffix(path, ".caffemodel")
	return fmt.Sprintf("It is a .caffemodel, which has no solver state. Did you mean -snapshot %s.solverstate, or -weights %s?", stem, path)
}

// checkHistory refuses the state of another rule or another net.
func (s *Solver) checkHistory(path string, state *caffepb.SolverState) error {
	have, want := len(state.GetHistory()), s.train.NumHistory()
	if have == want {
		return nil
	}
	hint := fmt.Sprintf("It was written by another type of solver than %s, or with another net.", s.param.GetType())
	if have == 0 && !strings.HasSuffix(path, ".h5") && isModel(path) {
		hint = modelHint(path)
	}
	return fmt.Errorf("%s: Check failed: state.history_size() == history_.size() (%d vs. %d) Incorrect length of history blobs. %s", path, have, want, hint)
}

func (s *Solver) restoreHistory(path string, state *caffepb.SolverState) error {
	params := s.train.Params()
	for i, blob := range state.GetHistory() {
		p := params[i%len(params)]
		values, err := proto.BlobData(blob)
		if err != nil {
			return fmt.Errorf("%s: history %d: %w", path, i, err)
		}
		if len(values) != p.Shape.Count() {
			return fmt.Errorf("%s: history %d has %d numbers, but blob %d of layer %q has %d: the snapshot is of another net",
				path, i, len(values), p.Index, p.Layer, p.Shape.Count())
		}
		if err := s.train.WriteHistory(i, values); err != nil {
			return err
		}
	}
	return nil
}

// restoreWeights reads the weights that a state names: as the path is written, which counts from
// the folder of that run, or else beside the state, where a moved snapshot has them.
func (s *Solver) restoreWeights(state, model string, side *sideFile) error {
	path := model
	if _, err := os.Stat(path); err != nil {
		beside := filepath.Join(filepath.Dir(state), filepath.Base(model))
		if _, err := os.Stat(beside); err != nil {
			return fmt.Errorf("%s: File not found: %s: its weights are neither there nor at %s", state, model, beside)
		}
		path = beside
	}
	if side != nil {
		if err := s.belongs(path, side.Model, sidePath(state)); err != nil {
			return err
		}
	}
	weights, err := s.readWeights(path)
	if err != nil {
		return err
	}
	done, err := s.train.CopyTrained(weights, path)
	if err != nil {
		return err
	}
	if len(done.Initial) > 0 {
		return fmt.Errorf("%s has no weights for %s: the snapshot is of another net", path, strings.Join(done.Initial, ", "))
	}
	return nil
}

// findSide reads the side file of a state; nil where there is none.
func (s *Solver) findSide(path string, state *caffepb.SolverState) (*sideFile, error) {
	side, err := readSide(sidePath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if side.Iter != int(state.GetIter()) {
		return nil, fmt.Errorf("%s is of iteration %d, %s of %d. %s", sidePath(path), side.Iter, path, state.GetIter(), mixed)
	}
	return side, s.belongs(path, side.State, sidePath(path))
}

const mixed = "They are of different runs. Resume from another snapshot, or remove the side file: then the data starts again at its first record, as in Caffe"

// belongs checks that a file is the one that the side file was written with.
func (s *Solver) belongs(path string, want digest, side string) error {
	have, err := digestFile(s.disk, path)
	if err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("%s and %s were not written together (%d bytes with checksum %08x, expected %d with %08x). %s",
			path, side, have.Size, have.CRC, want.Size, want.CRC, mixed)
	}
	return nil
}

// restorePosition continues the data, the random stream and the mean of losses.
func (s *Solver) restorePosition(path string, side *sideFile) error {
	at := side.Position
	if err := s.random.UnmarshalBinary(at.Random); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	const without = "Remove the side file to start the data again at its first record, as in Caffe"
	if err := s.train.RestoreData(at.Train); err != nil {
		return fmt.Errorf("%s: %w. %s", path, err, without)
	}
	if len(at.Tests) == len(s.tests) {
		for i, t := range s.tests {
			if err := t.RestoreData(at.Tests[i]); err != nil {
				return fmt.Errorf("%s: %w. %s", path, err, without)
			}
		}
	} else {
		s.warnf("%s: the run had %d test nets, now there are %d: their data starts at its first record", path, len(at.Tests), len(s.tests))
	}
	size := int(s.param.GetAverageLoss())
	if losses, smoothed := bytesFloat(side.Losses), bytesFloat(side.Smoothed); len(losses) <= size && len(smoothed) == 1 {
		s.resume = newLossWindow(size, side.WindowStart)
		s.resume.losses, s.resume.smoothed = append(s.resume.losses, losses...), smoothed[0]
	}
	return nil
}
