package proto

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/proto"
)

// zooEntry is a line of the index of foreign prototxts: what each is, and the fields in it that BVLC
// Caffe does not have.
type zooEntry struct{ path, kind, format, foreign string }

func zooIndex(t *testing.T) []zooEntry {
	dir := sharedDir(t, "zoo")
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

// checkNamed: an error speaks of at least one of the foreign fields.
func checkNamed(t *testing.T, e zooEntry, err error) {
	t.Helper()
	for _, field := range strings.Fields(e.foreign) {
		name := field[strings.LastIndexAny(field, ".=")+1:]
		if strings.Contains(err.Error(), "\""+name+"\"") {
			return
		}
	}
	t.Errorf("%s has %s, but: %v", e.path, e.foreign, err)
}

// TestUpgradedTextsPrintEqual: these files were printed by real Caffe.
func TestUpgradedTextsPrintEqual(t *testing.T) {
	for _, path := range filesBelow(t, sharedDir(t, "zoo/upgraded"), "") {
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
