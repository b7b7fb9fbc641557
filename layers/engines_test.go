package layers_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	_ "github.com/gocaffe/gocaffe/engine/ref"
)

// engines opens the engines that GOCAFFE_TEST_ENGINES names, each of which must
// exist; by default ref, and cpu where its library is found.
func engines(t *testing.T) map[string]engine.Device {
	t.Helper()
	names, must := []string{"ref", "cpu"}, []string{"ref"}
	if list := os.Getenv("GOCAFFE_TEST_ENGINES"); list != "" {
		names = strings.Split(list, ",")
		must = names
	}
	devices := map[string]engine.Device{}
	for _, name := range names {
		dev, err := engine.Open(name, engine.Config{})
		if err != nil && slices.Contains(must, name) {
			t.Fatal(err)
		}
		if err != nil {
			t.Logf("without engine %s: %v", name, err)
			continue
		}
		t.Cleanup(func() {
			if err := dev.Close(); err != nil {
				t.Error(err)
			}
		})
		devices[name] = dev
	}
	return devices
}
