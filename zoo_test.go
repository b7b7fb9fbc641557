package gocaffe

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// zooFile is a published file, and what became of it.
type zooFile struct {
	path   string // below the zoo, with slashes: owner/repository/…
	kind   zooKind
	text   []byte
	states []zooState // of a net: what was tried
	err    error      // of a solver, or of a net that is not read
}

type zooKind int

const (
	zooNet zooKind = iota
	zooSolver
	zooOther // neither: a map of labels
)

// zooState is one attempt to build a net.
type zooState struct {
	state *caffepb.NetState
	err   error
}

var (
	solverField = regexp.MustCompile(`(?m)^\s*(net|train_net|base_lr|lr_policy|max_iter)\s*:`)
	netField    = regexp.MustCompile(`(?m)^\s*(layers?\s*\{|input\s*:)`)
)

// kindOf tells by its fields what a prototxt is. Binary ones are nets.
func kindOf(text []byte) zooKind {
	switch {
	case solverField.Match(text):
		return zooSolver
	case isBinary(text) || netField.Match(text):
		return zooNet
	}
	return zooOther
}

func isBinary(text []byte) bool { return bytes.IndexByte(text, 0) >= 0 }

// slowest is how long a file may take, on a machine that is busy.
const slowest = 10 * time.Second

// TestZooTable reads every published prototxt as what it is and builds every net:
// docs/zoo.md must say what became of them. Whatever fails names file and line.
func TestZooTable(t *testing.T) {
	root := sharedtest.Dir(t, "zoo")
	z := readZooFiles(t, filepath.Join(root, "prototxt"))
	for _, f := range z.files {
		start := time.Now()
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s: panic: %v", f.path, p)
				}
			}()
			z.try(f)
		}()
		if d := time.Since(start); d > slowest {
			t.Errorf("%s: took %v", f.path, d)
		}
		z.checkErrors(t, f)
		if said, asked := alike[f.path]; asked && len(f.failures()) == 0 {
			t.Errorf("%s is built, but of real Caffe we noted: %s", f.path, said)
		}
	}
	want := zooPage(z.files, comparedNets(t, root))
	if *update {
		if err := os.WriteFile("docs/zoo.md", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("docs/zoo.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/zoo.md is out of date (go test . -update writes it): %s", firstDifference(got, want))
	}
}

func firstDifference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d is\n%s\nand should be\n%s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("it has %d lines and should have %d", len(g), len(w))
}

type zooFiles struct {
	dir   string
	files []*zooFile
}

func readZooFiles(t *testing.T, dir string) *zooFiles {
	t.Helper()
	z := &zooFiles{dir: dir}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		z.files = append(z.files, &zooFile{path: filepath.ToSlash(rel), kind: kindOf(text), text: text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(z.files, func(a, b *zooFile) int { return strings.Compare(a.path, b.path) })
	return z
}

// try reads a file, and builds it in every state that it is meant for.
func (z *zooFiles) try(f *zooFile) {
	path := filepath.Join(z.dir, filepath.FromSlash(f.path))
	switch f.kind {
	case zooSolver:
		_, f.err = proto.ReadSolver(path)
		return
	case zooOther:
		return
	}
	read := proto.ReadNet
	if isBinary(f.text) {
		read = proto.ReadNetBinary
	}
	file, err := read(path)
	if err != nil {
		f.err = err
		return
	}
	for _, s := range z.statesOf(f, file.Net) {
		f.states = append(f.states, zooState{s, build(file, s)})
	}
}

// statesOf are the phases, and for a net with stages those of the solvers that lie
// beside it.
func (z *zooFiles) statesOf(f *zooFile, n *caffepb.NetParameter) []*caffepb.NetState {
	states := []*caffepb.NetState{{Phase: caffepb.Phase_TRAIN.Enum()}, {Phase: caffepb.Phase_TEST.Enum()}}
	if !slices.ContainsFunc(n.GetLayer(), hasStage) {
		return states
	}
	folder := f.path[:strings.LastIndexByte(f.path, '/')+1]
	for _, other := range z.files {
		rest, beside := strings.CutPrefix(other.path, folder)
		if other.kind != zooSolver || !beside || strings.Contains(rest, "/") {
			continue
		}
		s, err := proto.ParseSolver(other.path, other.text)
		if err != nil {
			continue
		}
		if filepath.Base(s.Solver.GetNet()) == filepath.Base(f.path) {
			states = withState(states, caffepb.Phase_TRAIN, s.Solver.GetTrainState())
			for _, test := range s.Solver.GetTestState() {
				states = withState(states, caffepb.Phase_TEST, test)
			}
		}
	}
	return states
}

func hasStage(l *caffepb.LayerParameter) bool {
	return slices.ContainsFunc(slices.Concat(l.GetInclude(), l.GetExclude()), func(r *caffepb.NetStateRule) bool {
		return len(r.GetStage())+len(r.GetNotStage()) > 0
	})
}

// withState adds a state, once.
func withState(states []*caffepb.NetState, phase caffepb.Phase, s *caffepb.NetState) []*caffepb.NetState {
	for _, have := range states {
		if have.GetPhase() == phase && slices.Equal(have.GetStage(), s.GetStage()) {
			return states
		}
	}
	return append(states, &caffepb.NetState{Phase: phase.Enum(), Stage: s.GetStage()})
}

// standIns are what stands in for data that is not here, which nothing in the net
// describes: the first with which it builds counts. Sequences are steps by streams.
var standIns = []struct{ picture, sequence engine.Shape }{
	{picture: engine.Shape{3, 64, 64}},
	{picture: engine.Shape{1, 28, 28}},
	{picture: engine.Shape{2, 28, 28}},
	{picture: engine.Shape{3, 32, 32}},
	{picture: engine.Shape{3, 224, 224}},
	{picture: engine.Shape{3, 360, 480}},
	{picture: engine.Shape{4}},
	{picture: engine.Shape{3, 224, 224}, sequence: engine.Shape{20, 100}},
	{picture: engine.Shape{3, 224, 224}, sequence: engine.Shape{20, 50}},
}

// build lowers a net in one state. The error is that with the first stand-in.
func build(file *proto.NetFile, state *caffepb.NetState) (first error) {
	for i, s := range standIns {
		_, err := net.Summarize(file, net.SummaryOptions{State: state, Open: func(l *spec.Layer, _ func() uint32) (net.Source, error) {
			if l.GetType() == "HDF5Data" && s.sequence != nil {
				return standIn{shapes: slices.Repeat([]engine.Shape{s.sequence}, len(l.GetTop()))}, nil
			}
			return standIn{shapes: records(l, s.picture)}, nil
		}})
		if err == nil {
			return nil
		}
		if i == 0 {
			first = err
		}
	}
	return first
}

// standIn is a source that has shapes only.
type standIn struct {
	net.Source
	shapes []engine.Shape
}

func (s standIn) Shapes() ([]engine.Shape, error) { return s.shapes, nil }
func (s standIn) Close() error                    { return nil }

// records are the shapes of a data layer's tops: pictures, cropped as it says, and
// a number for each other top, or one for each pixel.
func records(l *spec.Layer, picture engine.Shape) []engine.Shape {
	batch := max(int(l.GetDataParam().GetBatchSize()), int(l.GetImageDataParam().GetBatchSize()), int(l.GetHdf5DataParam().GetBatchSize()),
		int(l.GetDenseImageDataParam().GetBatchSize()), 1)
	first := append(engine.Shape{batch}, picture...)
	if crop := int(l.GetTransformParam().GetCropSize()); crop > 0 && len(picture) == 3 {
		first[2], first[3] = crop, crop
	}
	shapes := []engine.Shape{first}
	if l.GetType() == "DenseImageData" && len(picture) == 3 {
		return append(shapes, engine.Shape{batch, 1, first[2], first[3]})
	}
	for len(shapes) < len(l.GetTop()) {
		shapes = append(shapes, engine.Shape{batch})
	}
	return shapes
}
