//go:build !cgo || !linux

// Package cuda is the engine for NVIDIA's GPUs; this build has none, since it was made
// without cgo.
package cuda

import (
	"errors"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { engine.Register(Name, Open) }

// Open says why there are no GPUs.
func Open(engine.Config) (engine.Device, error) {
	return nil, errors.New("cuda: this binary was built without cgo (CGO_ENABLED=1, gcc and Linux are needed)")
}
