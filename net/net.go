// Package net is a net that runs: it resolves, lowers and compiles a prototxt
// for a device, keeps its weights, reads its data, draws what is random and
// gives blobs by name.
package net

import (
	"errors"
	"fmt"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// Logger takes the lines of Caffe's log. File and line are those of Caffe's
// source, which parsers of its logs see in the prefix.
type Logger interface {
	Infof(file string, line int, format string, args ...any)
	Warningf(file string, line int, format string, args ...any)
}

// Source is the batches of one data layer, in their order. It is used by one
// goroutine at a time.
type Source interface {
	// Shapes are the shapes of the tops of the next batch. While a net is built
	// it is called once the layer is connected, which is when Caffe's layers log
	// the shape of their data.
	Shapes() ([]engine.Shape, error)
	// Next writes the next batch, one slice a top, each of its shape's count.
	Next(dst ...[]float32) error
	// State is the position of the next batch and all that its successors
	// depend on; Restore goes there.
	State() ([]byte, error)
	Restore([]byte) error
	// Wait is how long Next has waited for data, in total.
	Wait() time.Duration
	Close() error
}

// PixelSource is a Source that can leave the arithmetic to the device.
type PixelSource interface {
	Source
	// TakePixels, called before all else, has batches be bytes where they can.
	TakePixels()
	// Pixels says how the bytes of the next batch become its first top; nil where it is
	// numbers, which Next gives.
	Pixels() (*engine.PixelFormat, error)
	// NextPixels gives the next batch to take, where Pixels said that it is bytes: the
	// inputs of engine.Pixels, and the second top. The memory is the source's.
	NextPixels(take func(bytes []byte, windows, labels []float32) error) error
}

// Options says how a net is built. Device, and Open where the net has data
// layers, are required.
type Options struct {
	Device engine.Device     // where the net runs
	State  *caffepb.NetState // phase, level and stages; nil is Caffe's default, TEST
	// Open opens the source of a data layer. It may take numbers from the
	// process's random stream with draw, and must take those that Caffe's layer
	// takes when it is set up: the last one of them seeds its prefetch thread.
	Open func(l *spec.Layer, draw func() uint32) (Source, error)
	// Sink opens what a layer writes to, in nets that have such a layer
	// (HDF5Output).
	Sink func(l *spec.Layer) (Sink, error)
	// Random is the process's random stream, which all its nets share: fillers,
	// DummyData and Dropout draw from it. Nil is a stream of seed 0.
	Random *rng.Source
	Log    Logger // nil: no log

	Backward      bool                 // the net has a backward pass
	ForceBackward bool                 // as in the prototxt: also gradients that lead to no param
	SeedTops      bool                 // the caller gives the gradients of outputs that are no losses
	Update        *graph.UpdateOptions // adds the solver's step; implies Backward

	// Share is a net whose params this net uses in place of its own, by layer
	// name. It must outlive this net and run on the same device.
	Share *Net

	// HostMasks keeps Dropout's masks Caffe's numbers on a device that would draw its own.
	HostMasks bool

	Keep    []string // blobs that Read must find besides the outputs
	KeepAll bool     // all blobs can be read, each version of them, and with Backward their gradients

	// NoFuse and NoReuse turn off what the plan does for speed and memory, as
	// GOCAFFE_FUSE=0 and GOCAFFE_REUSE=0 do.
	NoFuse, NoReuse bool
}

// Output is a blob that no layer consumes.
type Output struct {
	Name  string
	Shape engine.Shape
	// LossWeight is what the sum of its elements counts in the loss, or 0.
	LossWeight float32
}

// ParamInfo describes one learnable param, BatchNorm's statistics included.
type ParamInfo struct {
	Layer     string // its owner
	Index     int    // which blob of the layer
	Name      string // the name by which layers share it, or ""
	Shape     engine.Shape
	LRMult    float32
	DecayMult float32
}

// Copied is what CopyTrained did.
type Copied struct {
	Loaded  []string // layers whose params were read
	Ignored []string // layers of the file that the net does not have
	Initial []string // layers with params that the file lacks: they keep theirs
}

// Net is a net on a device, with its weights and its data. It is used by one
// goroutine at a time.
type Net struct {
	o        Options
	spec     *spec.Net
	sources  map[int]*source                // by layer
	sinks    map[int]*sink                  // by layer
	selected map[*spec.Layer]int            // how many items Filter layers forward
	inputs   map[*spec.Layer][]engine.Shape // shapes that the caller gave, by Input layer
	storage  *plan.Storage
	owner    string               // of the states in the storage: "" for the net that made it
	sharers  int                  // nets that were built with this one as Options.Share
	compiled map[string]*compiled // by the shapes of all feeds
	recent   []string             // the keys of compiled, the last used at the end
	now      *compiled
	needs    needs
	ignored  []string // layers of Options.Share that this net lacks
}

// New builds the net of a prototxt for the state in Options, opens its data and
// draws its params. Everything wrong with the prototxt is reported together.
func New(f *proto.NetFile, o Options) (*Net, error) {
	if o.Log == nil {
		o.Log = silence{}
	}
	if o.Random == nil {
		o.Random = rng.New(0)
	}
	o.Backward = o.Backward || o.Update != nil
	o.ForceBackward = o.ForceBackward || f.Net.GetForceBackward()
	resolved, err := spec.Resolve(f.Net, f, o.State, o.Log.Infof)
	if err != nil {
		return nil, err
	}
	n := &Net{
		o: o, spec: resolved, sources: map[int]*source{}, sinks: map[int]*sink{}, selected: map[*spec.Layer]int{}, inputs: map[*spec.Layer][]engine.Shape{}, compiled: map[string]*compiled{},
	}
	if o.Share != nil {
		n.storage = o.Share.storage
		o.Share.sharers++
		n.owner = fmt.Sprintf("%s%d/", o.Share.owner, o.Share.sharers)
	} else {
		n.storage = plan.NewStorage(o.Device)
	}
	if err := n.setUp(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Name is the net's name in its prototxt.
func (n *Net) Name() string { return n.spec.Filtered.GetName() }

// Spec is the net as resolved for its state.
func (n *Net) Spec() *spec.Net { return n.spec }

// Graph is the net as lowered for the present shapes.
func (n *Net) Graph() *graph.Graph { return n.now.graph }

// Plan is the net as compiled for the present shapes.
func (n *Net) Plan() *plan.Plan { return n.now.plan }

// Close gives back the device's memory and closes the data sources. Nets that
// share this net's params must be closed before.
func (n *Net) Close() error {
	var errs []error
	for _, c := range n.compiled {
		errs = append(errs, c.close())
	}
	n.compiled, n.recent = map[string]*compiled{}, nil
	if n.o.Share == nil && n.storage != nil {
		errs = append(errs, n.storage.Close())
	}
	for _, s := range n.sources {
		errs = append(errs, s.Close())
	}
	for _, s := range n.sinks {
		if err := s.Close(); err != nil {
			errs = append(errs, s.layer.Errorf("%w", err))
		}
	}
	n.sources, n.sinks = nil, nil
	return errors.Join(errs...)
}

type silence struct{}

func (silence) Infof(string, int, string, ...any)    {}
func (silence) Warningf(string, int, string, ...any) {}
