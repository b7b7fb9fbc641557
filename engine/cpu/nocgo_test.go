//go:build !cgo

package cpu_test

import (
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu"
)

// TestWithoutCgo checks that the engine says what it wants for.
func TestWithoutCgo(t *testing.T) {
	if _, err := engine.Open(cpu.Name, engine.Config{}); err == nil || !strings.Contains(err.Error(), "cgo") {
		t.Errorf("Open gives %v", err)
	}
}
