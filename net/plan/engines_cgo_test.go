//go:build cgo

package plan_test

import (
	_ "github.com/gocaffe/gocaffe/engine/cpu"
	_ "github.com/gocaffe/gocaffe/engine/cuda"
)
