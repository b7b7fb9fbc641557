package gocaffe

import (
	"os"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/layers"
)

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
	if want := layerList(); !strings.Contains(string(text), want) {
		t.Errorf("README.md must list the layer types so:\n%s", want)
	}
}
