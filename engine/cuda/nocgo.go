//go:build !cgo || !linux

// Package cuda is the engine for NVIDIA's GPUs; this build has none, since it was made
// without cgo.
package cuda

import (
	"errors"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { engine.Register(Name, Open) }

var errNoC = errors.New("cuda: this binary was built without cgo (CGO_ENABLED=1, gcc and Linux are needed)")

// Open says why there are no GPUs.
func Open(engine.Config) (engine.Device, error) { return nil, errNoC }

// Count says why there are no GPUs.
func Count() (int, error) { return 0, errNoC }

// Query says why there are no GPUs.
func Query(int) (Properties, error) { return Properties{}, errNoC }

// Libraries says why there is none.
func Libraries() []engine.Library {
	return []engine.Library{{Name: "NVIDIA driver", Missing: errNoC.Error()}}
}
