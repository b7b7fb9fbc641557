package gocaffe

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/layers"
)

var update = flag.Bool("update", false, "write the README's table of layers and docs/zoo.md anew")

// tableHead begins the README's table of layers; an empty line ends it.
const tableHead = "| layer type | of | bottoms | tops | |\n|---|---|---|---|---|\n"

// layerTable is the README's table of layer types, as the registry has them:
// Caffe's, then those of its forks.
func layerTable() string {
	var own, forks strings.Builder
	for _, d := range layers.Defs() {
		rows, from := &own, "Caffe"
		if d.From != "" {
			rows, from = &forks, d.From
		}
		if d.Refuse != nil {
			fmt.Fprintf(rows, "| `%s` | %s | | | an error that says what to do instead |\n", d.Type, from)
			continue
		}
		fmt.Fprintf(rows, "| `%s` | %s | %v | %v | %s |\n", d.Type, from, d.Bottoms, d.Tops, kindOfLayer(d))
	}
	return tableHead + own.String() + forks.String()
}

// kindOfLayer is what the registry says of a type besides its counts.
func kindOfLayer(d layers.Def) string {
	var notes []string
	if d.Loss {
		notes = append(notes, "loss")
	}
	if d.Data {
		notes = append(notes, "data")
	}
	if d.SameCounts {
		notes = append(notes, "a top for each bottom")
	}
	if d.NoInPlace {
		notes = append(notes, "not in place")
	}
	return strings.Join(notes, ", ")
}

// TestReadmeListsTheLayers keeps the README's table of layers true.
func TestReadmeListsTheLayers(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(text, []byte(tableHead))
	if start < 0 {
		t.Fatalf("README.md has no table that begins\n%s", tableHead)
	}
	size := bytes.Index(text[start:], []byte("\n\n")) + 1
	if size == 0 {
		t.Fatal("README.md: no empty line ends the table of layers")
	}
	want := layerTable()
	if *update {
		text = append(append(append([]byte{}, text[:start]...), want...), text[start+size:]...)
		if err := os.WriteFile("README.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := string(text[start : start+size]); got != want {
		t.Errorf("README.md's table of layers is not the registry's (go test . -update writes it): %s", firstDifference([]byte(got), []byte(want)))
	}
}
