package proto

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// SolverFile is a solver as its file has it, upgraded, with the place of every field.
type SolverFile struct {
	Path   string
	Solver *caffepb.SolverParameter
	// Warnings name what was accepted without being used, each with its place.
	Warnings []string
	// Log is what Caffe logs while it upgrades the file.
	Log []LogLine

	root *node
}

// FieldPos is the place of a field, such as "base_lr" or "test_iter[1]"; for one that the file does
// not have, of the message that lacks it.
func (f *SolverFile) FieldPos(path string) Pos { return f.root.find(path).at(f.Path) }

// ReadSolver reads a prototxt file as a SolverParameter. As in Caffe, snapshot_prefix becomes the
// file's name without its ending if it is not set, and gets that name appended if it is a directory.
func ReadSolver(path string) (*SolverFile, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	f, err := ParseSolver(path, text)
	if err != nil {
		return nil, err
	}
	f.snapshotPrefix()
	return f, nil
}

// ParseSolver is ReadSolver for text that is in memory; it leaves snapshot_prefix alone.
func ParseSolver(name string, text []byte) (*SolverFile, error) {
	f := &SolverFile{Path: name, Solver: new(caffepb.SolverParameter)}
	var err error
	if f.root, f.Warnings, err = parseText(name, text, f.Solver); err != nil {
		return nil, err
	}
	if err := f.upgrade(); err != nil {
		return nil, err
	}
	return f, nil
}

// InlineNet is a net that is written in the solver file: "net_param", "train_net_param" or
// "test_net_param[0]". It is nil if the file does not have it. Solver keeps the net as it was read.
func (f *SolverFile) InlineNet(path string) (*NetFile, error) {
	name, _, isList := strings.Cut(path, "[")
	m := f.Solver.ProtoReflect()
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if fd == nil || fd.Message() == nil || fd.Message().Name() != "NetParameter" || fd.IsList() != isList {
		return nil, fmt.Errorf("a solver has no net called %q", path)
	}
	nets := f.root.all(fd.Name())
	for i, n := range nets {
		var net *caffepb.NetParameter
		switch {
		case !isList:
			net = m.Get(fd).Message().Interface().(*caffepb.NetParameter)
		case indexed(name, i) == path:
			net = f.Solver.TestNetParam[i]
		default:
			continue
		}
		file := &NetFile{Path: f.Path, Net: proto.CloneOf(net), root: n}
		return file, file.upgrade()
	}
	return nil, nil
}

func (f *SolverFile) snapshotPrefix() {
	s := f.Solver
	stem := strings.TrimSuffix(f.Path, filepath.Ext(f.Path))
	if s.SnapshotPrefix == nil {
		s.SnapshotPrefix = &stem
		f.Log = append(f.Log, LogLine{'I', "snapshot_prefix was not specified and is set to " + stem})
		return
	}
	if info, err := os.Stat(s.GetSnapshotPrefix()); err == nil && info.IsDir() {
		prefix := strings.TrimRight(s.GetSnapshotPrefix(), "/") + "/" + filepath.Base(stem)
		s.SnapshotPrefix = &prefix
		f.Log = append(f.Log, LogLine{'I', "snapshot_prefix was a directory and is replaced to " + prefix})
	}
}

var solverTypes = map[caffepb.SolverParameter_SolverType]string{
	caffepb.SolverParameter_SGD:      "SGD",
	caffepb.SolverParameter_NESTEROV: "Nesterov",
	caffepb.SolverParameter_ADAGRAD:  "AdaGrad",
	caffepb.SolverParameter_RMSPROP:  "RMSProp",
	caffepb.SolverParameter_ADADELTA: "AdaDelta",
	caffepb.SolverParameter_ADAM:     "Adam",
}

// upgrade turns the enum solver_type into the string type.
func (f *SolverFile) upgrade() error {
	s := f.Solver
	if s.SolverType == nil {
		return nil
	}
	if s.Type != nil {
		return parseErrorAt(f.Path, "SolverParameter", f.root.find("solver_type"),
			"Failed to upgrade solver: old solver_type field (enum) and new type field (string) "+
				"cannot be both specified in solver proto text. type is in line %d; remove solver_type.", f.root.find("type").line)
	}
	f.Log = append(f.Log,
		LogLine{'I', "Attempting to upgrade input file specified using deprecated 'solver_type' field (enum)': " + f.Path},
		LogLine{'I', "Successfully upgraded file specified using deprecated 'solver_type' field (enum) to 'type' field (string)."},
		LogLine{'W', "Note that future Caffe releases will only support 'type' field (string) for a solver's type."})
	s.Type = proto.String(solverTypes[s.GetSolverType()])
	s.SolverType = nil
	return nil
}
