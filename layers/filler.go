package layers

import (
	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// constant is the filler of blobs that start at one number where the prototxt
// gives no filler.
func constant(value float32) *caffepb.FillerParameter {
	return &caffepb.FillerParameter{Type: proto.String("constant"), Value: proto.Float32(value)}
}
