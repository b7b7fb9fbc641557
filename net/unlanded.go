package net

import (
	"errors"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Net is a net on a device. It is used by one goroutine at a time.
type Net struct{}

// The bodies below wait for proto.NetFile and net/plan; with them comes
//
//	func New(f *proto.NetFile, o Options) (*Net, error)
//	func (n *Net) Plan() *plan.Plan
var errNotBuilt = errors.New("net: not built")

// Name is the net's name in its prototxt.
func (n *Net) Name() string { return "" }

// Forward reads the next batch and computes all tops.
func (n *Net) Forward() error { return errNotBuilt }

// Backward computes the gradients of the last Forward.
func (n *Net) Backward() error { return errNotBuilt }

// ForwardBackward is Forward and Backward as one run of the plan.
func (n *Net) ForwardBackward() error { return errNotBuilt }

// ApplyUpdate runs the solver's step on the gradients of the last Backward.
func (n *Net) ApplyUpdate() error { return errNotBuilt }

// Loss is the total weighted loss of the last Forward; 0 in a net without one.
func (n *Net) Loss() (float32, error) { return 0, errNotBuilt }

// Outputs are the blobs that no layer consumes, in byte order of their names.
func (n *Net) Outputs() []Output { return nil }

// Shape is a blob's shape.
func (n *Net) Shape(blob string) (engine.Shape, error) { return nil, errNotBuilt }

// Read copies a blob of the last Forward: an output or one that Options keeps.
// dst has the blob's count of elements.
func (n *Net) Read(blob string, dst []float32) error { return errNotBuilt }

// ReadGrad copies the gradient of a blob after Backward (Options.KeepAll); 0
// where none reaches it.
func (n *Net) ReadGrad(blob string, dst []float32) error { return errNotBuilt }

// SetInput gives a top of an Input layer its data, which stays until set again.
func (n *Net) SetInput(blob string, data []float32) error { return errNotBuilt }

// SetInputShape changes the shape of a top of an Input layer.
func (n *Net) SetInputShape(blob string, shape engine.Shape) error { return errNotBuilt }

// SetTopGrad gives an output its gradient (Options.SeedTops).
func (n *Net) SetTopGrad(blob string, data []float32) error { return errNotBuilt }

// Params are the learnable params in Caffe's order.
func (n *Net) Params() []ParamInfo { return nil }

// ReadParam copies param i to dst.
func (n *Net) ReadParam(i int, dst []float32) error { return errNotBuilt }

// WriteParam sets param i.
func (n *Net) WriteParam(i int, src []float32) error { return errNotBuilt }

// ReadDiff copies the gradient of param i: after ApplyUpdate with
// UpdateOptions.KeepStep, the step that was subtracted.
func (n *Net) ReadDiff(i int, dst []float32) error { return errNotBuilt }

// ClearDiffs sets the gradients that add up over runs of Backward to 0
// (UpdateOptions.Accumulate).
func (n *Net) ClearDiffs() error { return errNotBuilt }

// SetHyper sets the engine.HyperSize numbers that the update reads.
func (n *Net) SetHyper(h []float32) error { return errNotBuilt }

// SumSq is Σ g² over the gradients of all params (UpdateOptions.Clip).
func (n *Net) SumSq() (float32, error) { return 0, errNotBuilt }

// NumHistory is how many history tensors the solver's rule keeps: one or two
// for each param, all first ones before the second ones.
func (n *Net) NumHistory() int { return 0 }

// ReadHistory copies history i; its shape is that of param i mod len(Params()).
func (n *Net) ReadHistory(i int, dst []float32) error { return errNotBuilt }

// WriteHistory sets history i.
func (n *Net) WriteHistory(i int, src []float32) error { return errNotBuilt }

// CopyTrained sets the params from trained weights by layer name. File names
// the weights in errors.
func (n *Net) CopyTrained(w *caffepb.NetParameter, file string) (Copied, error) {
	return Copied{}, errNotBuilt
}

// ToProto is the net with its weights as a .caffemodel holds them, withDiff
// with the params' gradients too.
func (n *Net) ToProto(withDiff bool) (*caffepb.NetParameter, error) { return nil, errNotBuilt }

// DataState is the position of all data sources.
func (n *Net) DataState() ([]byte, error) { return nil, errNotBuilt }

// RestoreData continues all data sources where DataState was taken.
func (n *Net) RestoreData(state []byte) error { return errNotBuilt }

// DataWait is how long Forward has waited for data, in total.
func (n *Net) DataWait() time.Duration { return 0 }

// Graph is the net as lowered for the present shapes.
func (n *Net) Graph() *graph.Graph { return nil }

// Close gives back the device's memory and closes the data sources.
func (n *Net) Close() error { return nil }
