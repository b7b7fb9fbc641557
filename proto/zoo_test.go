package proto

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// zooEntry is a line of the index of foreign prototxts: what each is, and the fields in it that BVLC
// Caffe does not have.
type zooEntry struct{ path, kind, format, foreign string }

func zooIndex(t *testing.T) []zooEntry {
	dir := sharedtest.Dir(t, "zoo")
	var list []zooEntry
	for line := range strings.Lines(string(mustRead(t, filepath.Join(dir, "index.tsv")))) {
		cols := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(cols) == 5 && (cols[1] == "net" || cols[1] == "solver") {
			list = append(list, zooEntry{filepath.Join(dir, "prototxt", cols[0]), cols[1], cols[2], cols[4]})
		}
	}
	if len(list) < 500 {
		t.Fatalf("only %d prototxts in the index", len(list))
	}
	return list
}

// TestZoo reads what people have published: all that is written for BVLC Caffe is read and printed,
// all else is refused by the names of its foreign fields, unless these have no effect.
func TestZoo(t *testing.T) {
	for _, e := range zooIndex(t) {
		var m proto.Message = new(caffepb.NetParameter)
		if e.kind == "solver" {
			m = new(caffepb.SolverParameter)
		}
		_, warnings, err := parseText(e.path, mustRead(t, e.path), m)
		switch {
		case err == nil:
			checkStable(t, e.path, m)
			if e.foreign == "" && len(warnings) > 0 {
				t.Errorf("%s: %v", e.path, warnings)
			}
		case e.foreign == "":
			t.Error(err)
		default:
			checkNamed(t, e, err)
		}
	}
}

// checkNamed: an error speaks of at least one of the foreign fields, or of the message that one is,
// which is known then but has another fork's fields in it.
func checkNamed(t *testing.T, e zooEntry, err error) {
	t.Helper()
	for _, field := range strings.Fields(e.foreign) {
		name := field[strings.LastIndexAny(field, ".=")+1:]
		if strings.Contains(err.Error(), "\""+name+"\"") {
			return
		}
		message, _, _ := strings.Cut(field, ".")
		known := caffepb.File_caffe_proto.Messages().ByName(protoreflect.Name(message))
		if known == nil {
			continue
		}
		if fd := known.Fields().ByName(protoreflect.Name(name)); fd != nil && fd.Message() != nil &&
			strings.Contains(err.Error(), fmt.Sprintf("Message type %q has no field named", fd.Message().FullName())) {
			return
		}
	}
	t.Errorf("%s has %s, but: %v", e.path, e.foreign, err)
}

// TestUpgradedTextsPrintEqual: these files were printed by real Caffe.
func TestUpgradedTextsPrintEqual(t *testing.T) {
	for _, path := range filesBelow(t, sharedtest.Dir(t, "zoo/upgraded"), "") {
		text := string(mustRead(t, path))
		var m proto.Message = new(caffepb.NetParameter)
		if !strings.Contains(text, "layer {") {
			m = new(caffepb.SolverParameter)
		}
		if err := UnmarshalText(path, []byte(text), m); err != nil {
			t.Error(err)
		} else if Text(m) != text {
			t.Errorf("%s prints otherwise", path)
		}
	}
}

// TestZooUpgraded reads the legacy files among them: each becomes, byte for byte when printed, what
// real Caffe's upgrade tools made of it, and every layer knows its line.
func TestZooUpgraded(t *testing.T) {
	dir := sharedtest.Dir(t, "zoo/upgraded")
	files := filesBelow(t, dir, "")
	for _, path := range files {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		original := filepath.Join(sharedtest.Dir(t, "zoo/prototxt"), rel)
		text, want := mustRead(t, original), string(mustRead(t, path))
		var m proto.Message
		if strings.Contains(want, "layer {") {
			f, err := ParseNet(original, text)
			if err != nil {
				t.Error(err)
				continue
			}
			checkLayerPlaces(t, f, text)
			m = f.Net
		} else {
			f, err := ParseSolver(original, text)
			if err != nil {
				t.Error(err)
				continue
			}
			m = f.Solver
		}
		if got := Text(m); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", original, got, want)
		}
	}
	if len(files) < 70 {
		t.Errorf("only %d files", len(files))
	}
}

// checkLayerPlaces: every layer begins where the file says "layers" or "input", and its name, type
// and bottoms are where they are written.
func checkLayerPlaces(t *testing.T, f *NetFile, text []byte) {
	t.Helper()
	lines := strings.Split(string(text), "\n")
	written := func(i int, field, want string) {
		p := f.FieldPos(i, field)
		if p.Line == 0 || !strings.HasPrefix(lines[p.Line-1][p.Col-1:], want) {
			t.Errorf("%s: %s of layer %q is not %q", p.LineCol(), field, f.Net.Layer[i].GetName(), want)
		}
	}
	for i, layer := range f.Net.Layer {
		if layer.GetType() == "Input" {
			written(i, "", "input")
			continue
		}
		written(i, "", "layers")
		written(i, "name", "name")
		written(i, "type", "type")
		for j := range layer.Bottom {
			written(i, indexed("bottom", j), "bottom")
		}
	}
}
