package gocaffe

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/layers"
)

var update = flag.Bool("update", false, "write the README's list of layers anew")

// listLine is the line of the README that lists the layers.
var listLine = regexp.MustCompile("(?m)^`AbsVal`.*$")

// layerList is the README's list of layer types, as the registry has them.
func layerList() string {
	var b strings.Builder
	for i, t := range layers.Types() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("`" + t + "`")
	}
	return b.String() + "."
}

// TestReadmeListsTheLayers keeps the README's list of layers true.
func TestReadmeListsTheLayers(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := layerList()
	if *update {
		text = listLine.ReplaceAll(text, []byte(want))
		if err := os.WriteFile("README.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(string(text), want) {
		t.Errorf("README.md must list the layer types so (go test . -update writes it):\n%s", want)
	}
}
