//go:build cgo

package layers_test

import (
	_ "github.com/gocaffe/gocaffe/engine/cpu"
	_ "github.com/gocaffe/gocaffe/engine/cuda"
)
