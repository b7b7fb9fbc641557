//go:build !cgo || !linux

package cuda

import (
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// A build without cgo has the engine's name, and one line that says why there is nothing behind it.
func TestWithoutCgo(t *testing.T) {
	const want = "cuda: this binary was built without cgo (CGO_ENABLED=1, gcc and Linux are needed)"
	_, open := engine.Open(Name, engine.Config{})
	_, count := Count()
	_, query := Query(0)
	for name, err := range map[string]error{"Open": open, "Count": count, "Query": query} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if l := Libraries(); len(l) != 1 || l[0].Missing != want {
		t.Errorf("Libraries: %+v", l)
	}
}
