package solver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gocaffe/gocaffe/data"
	_ "github.com/gocaffe/gocaffe/data/lmdb"
	"github.com/gocaffe/gocaffe/engine"
	_ "github.com/gocaffe/gocaffe/engine/cpu"
	_ "github.com/gocaffe/gocaffe/engine/cuda"
	_ "github.com/gocaffe/gocaffe/engine/ref"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
)

func refDevice(t testing.TB) engine.Device {
	t.Helper()
	dev, err := engine.Open("ref", engine.Config{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev
}

// openData is what the command line's Open does.
func openData(log net.Logger) func(*spec.Layer, func() uint32) (net.Source, error) {
	return func(l *spec.Layer, draw func() uint32) (net.Source, error) {
		o := data.Options{Phase: l.GetPhase(), Random: draw}
		if log != nil {
			o.Log = log
		}
		if l.GetType() == "ImageData" {
			return data.OpenImageData(l.LayerParameter, o)
		}
		return data.OpenData(l.LayerParameter, o)
	}
}

// lines is a log kept in memory: "file:line] text".
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) Infof(file string, line int, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, fmt.Sprintf("%s:%d] ", file, line)+fmt.Sprintf(format, args...))
}

func (l *lines) Warningf(file string, line int, format string, args ...any) {
	l.Infof(file, line, "W "+format, args...)
}

// of are the lines of Caffe's solvers that do not depend on time.
func (l *lines) of(prefixes ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, line := range l.list {
		for _, p := range prefixes {
			if strings.HasPrefix(line, p) {
				out = append(out, line)
			}
		}
	}
	return out
}

// parse makes a solver of text, in a folder of its own that becomes the working one.
func parse(t testing.TB, text string) *proto.SolverFile {
	t.Helper()
	f, err := proto.ParseSolver("solver.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// solve trains as text says, and returns the error of New or Solve.
func solve(t testing.TB, text string, o Options) (*Solver, error) {
	t.Helper()
	if o.Device == nil {
		o.Device = refDevice(t)
	}
	s, err := New(parse(t, text), o)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { s.Close() })
	return s, s.Solve()
}

// weights are all params of the train net.
func weights(t testing.TB, s *Solver) [][]float32 {
	t.Helper()
	var all [][]float32
	for i, p := range s.Train().Params() {
		values := make([]float32, p.Shape.Count())
		if err := s.Train().ReadParam(i, values); err != nil {
			t.Fatal(err)
		}
		all = append(all, values)
	}
	return all
}

// goldenDir is the folder of the solvers that real Caffe ran; tests change the working folder.
var goldenDir, _ = filepath.Abs("../testdata/golden/solvers")

// golden is goldenDir, which must be there.
func golden(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat(goldenDir); err != nil {
		t.Fatal(err)
	}
	return goldenDir
}
