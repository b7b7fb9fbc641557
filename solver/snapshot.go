package solver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	pb "google.golang.org/protobuf/proto"
)

// prefixed is the name of a snapshot's file.
func (s *Solver) prefixed(extension string) string {
	return fmt.Sprintf("%s_iter_%d%s", s.param.GetSnapshotPrefix(), s.iter, extension)
}

// probePrefix finds out before the training whether snapshots can be written where they shall be:
// also the one at the end, which Caffe fails to write when all is done.
func (s *Solver) probePrefix() error {
	if s.param.GetSnapshot() == 0 && !s.param.GetSnapshotAfterTrain() {
		return nil
	}
	path := s.prefixed(".tempfile")
	err := os.WriteFile(path, nil, 0o666)
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("%s: Cannot write to snapshot prefix '%s'.  Make sure that the directory exists and is writable. (%w)",
			s.file.FieldPos("snapshot_prefix"), s.param.GetSnapshotPrefix(), err)
	}
	return nil
}

// lastSnapshot is the one after the training, unless it is there already.
func (s *Solver) lastSnapshot() error {
	if s.saved == s.iter {
		return nil
	}
	after := s.param.GetSnapshotAfterTrain() && (s.param.GetSnapshot() == 0 || !due(s.iter, s.param.GetSnapshot()))
	if !after && !s.forced {
		return nil
	}
	return s.snapshot()
}

// snapshotFiles are the names of one snapshot's files.
type snapshotFiles struct{ model, state, side string }

func (f snapshotFiles) all() []string { return []string{f.model, f.side, f.state} }

// temporary is where a file is written before it gets its name. It is in the same folder, so that
// renaming it is one step, and always the same, so that a killed run leaves at most one.
func temporary(path string) string { return path + ".tmp" }

// snapshot writes the weights, the solver's state and the side file. They appear under their names
// only when all are complete and on the disk, and the state last: where there is a .solverstate,
// there is all of its snapshot.
func (s *Solver) snapshot() error {
	extension, kind, lines := "", "binary proto", [2]int{464, 284}
	if s.param.GetSnapshotFormat() == caffepb.SolverParameter_HDF5 {
		extension, kind, lines = ".h5", "HDF5", [2]int{474, 296}
	}
	f := snapshotFiles{model: s.prefixed(".caffemodel" + extension), state: s.prefixed(".solverstate" + extension)}
	f.side = sidePath(f.state)
	// Parsers want these lines to be neighbours, which lines of the data layers' goroutines could part.
	s.log.Infof(solverFile, lines[0], "Snapshotting to %s file %s", kind, f.model)
	s.log.Infof(sgdFile, lines[1], "Snapshotting solver state to %s file %s", kind, f.state)
	err := s.writeModel(f, extension != "")
	s.train.Trim()
	if err == nil {
		err = s.writeState(f, extension != "")
		s.train.Trim()
	}
	if err == nil {
		err = s.writeSide(f)
	}
	if err == nil {
		err = s.publish(f)
	}
	if err != nil {
		for _, path := range f.all() {
			if e := s.disk.remove(temporary(path)); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
		return fmt.Errorf("Couldn't write the snapshot of iteration %d: %w. Earlier snapshots are intact%s", s.iter, err, whoElse(err))
	}
	s.saved, s.lastFile = s.iter, f.state
	return nil
}

// whoElse explains a temporary file that vanished while it was being written.
func whoElse(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return ". Does another training use the same snapshot_prefix, or was the folder removed?"
	}
	return ""
}

func (s *Solver) writeModel(f snapshotFiles, hdf5 bool) error {
	model, err := s.train.ToProto(s.param.GetSnapshotDiff())
	if err != nil {
		return err
	}
	if hdf5 {
		return s.writeHDF5(temporary(f.model), func(path string) error { return s.o.HDF5.WriteWeights(path, model) })
	}
	return writeFile(s.disk, temporary(f.model), func(w io.Writer) error { return proto.WriteBinary(w, model) })
}

func (s *Solver) writeState(f snapshotFiles, hdf5 bool) error {
	state, err := s.state(f.model)
	if err != nil {
		return err
	}
	if hdf5 {
		return s.writeHDF5(temporary(f.state), func(path string) error { return s.o.HDF5.WriteState(path, state) })
	}
	return writeFile(s.disk, temporary(f.state), func(w io.Writer) error { return proto.WriteBinary(w, state) })
}

func (s *Solver) writeHDF5(path string, write func(path string) error) error {
	if err := write(path); err != nil {
		return err
	}
	return s.disk.sync(path)
}

// state is what Caffe keeps of a solver.
func (s *Solver) state(model string) (*caffepb.SolverState, error) {
	state := &caffepb.SolverState{
		Iter: pb.Int32(int32(s.iter)), LearnedNet: pb.String(model), CurrentStep: pb.Int32(int32(s.policy.step)),
	}
	params := s.train.Params()
	for i := range s.train.NumHistory() {
		shape := params[i%len(params)].Shape
		values := make([]float32, shape.Count())
		if err := s.train.ReadHistory(i, values); err != nil {
			return nil, err
		}
		state.History = append(state.History, proto.NewBlob(shape, values))
	}
	return state, nil
}

func (s *Solver) writeSide(f snapshotFiles) error {
	side := &sideFile{Iter: s.iter}
	var err error
	if side.Model, err = digestFile(s.disk, temporary(f.model)); err != nil {
		return err
	}
	if side.State, err = digestFile(s.disk, temporary(f.state)); err != nil {
		return err
	}
	if w := s.window; w != nil {
		side.WindowStart, side.Losses, side.Smoothed = w.start, floatBytes(w.losses...), floatBytes(w.smoothed)
	}
	at := s.before
	if at == nil {
		if at, err = s.position(); err != nil {
			return err
		}
	}
	side.Position = *at
	return writeFile(s.disk, temporary(f.side), side.write)
}

// publish gives the files their names. A state of the same name is that of an earlier run, whose
// weights are about to go: it goes first, and comes back if they stay.
func (s *Solver) publish(f snapshotFiles) error {
	old := f.state + ".old"
	err := s.disk.rename(f.state, old)
	replaces := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i, path := range f.all() {
		if err := s.disk.rename(temporary(path), path); err != nil {
			if replaces && i == 0 {
				err = errors.Join(err, s.disk.rename(old, f.state))
			}
			return err
		}
	}
	if err := s.disk.remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.disk.sync(folder(f.state))
}
