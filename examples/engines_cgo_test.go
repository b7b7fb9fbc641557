//go:build cgo

package examples

import _ "github.com/gocaffe/gocaffe/engine/cpu"
