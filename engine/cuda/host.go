//go:build cgo && linux

package cuda

import (
	"reflect"

	"github.com/gocaffe/gocaffe/engine"
)

// onHost are the ops that have no kernel here, each with the reason: the plan runs
// them on the host.
var onHost = map[reflect.Type]string{
	reflect.TypeFor[engine.DetectionOutput]():   "which box stays hangs on those that stayed before, one after the other",
	reflect.TypeFor[engine.DetectionEvaluate](): "which box a detection takes hangs on the better ones before, one after the other",
	reflect.TypeFor[engine.MultiBoxMatch]():     "which boxes match hangs on the matches before, one after the other",
	reflect.TypeFor[engine.BoxAnnotator]():      "it sorts the regions of items that the data names",
}

// missing says why an op has no kernel.
func missing(op engine.Op) error {
	if why, ok := onHost[reflect.TypeOf(op)]; ok {
		return unsupported(op, why)
	}
	return unsupported(op, "it has no kernel for this op")
}
