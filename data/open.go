package data

import (
	"errors"
	"fmt"
	"math"
	"runtime"

	"github.com/gocaffe/gocaffe/data/decode"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Options say how a data layer is read, beyond its own parameters.
type Options struct {
	// Phase is the net's, for layers that do not name their own. Training crops at random places.
	Phase caffepb.Phase
	// Random draws from the process's stream, for the seeds of this layer: as many numbers, in the same order, as Caffe's layer takes when
	// it is set up. Nil draws zeros.
	Random func() uint32
	// Log takes Caffe's lines, from several goroutines; nil drops them. What the layer logs after the database is open comes with the
	// first call of Shapes, so that a net may put its own lines between, as Caffe does.
	Log Logger
	// Compat restores what BVLC Caffe makes of bad lines in image lists (imagelist.Options).
	Compat bool
	// Rank of Ranks that train together: a Data layer in the phase TRAIN takes every record whose number is Rank modulo Ranks. 0 of 0 is
	// a single one.
	Rank, Ranks int
	// Workers is how many goroutines decode; 0 is one a processor. Results do not depend on it.
	Workers int
}

// OpenData makes the Loader of a Data layer: data_param, transform_param.
func OpenData(p *caffepb.LayerParameter, o Options) (*Loader, error) {
	param := p.GetDataParam()
	if n := len(p.GetTop()); n != 1 && n != 2 {
		return nil, fmt.Errorf("a Data layer has 1 or 2 tops (data, label), not %d", n)
	}
	l, err := newLoader(p, &o, param.GetBatchSize())
	if err != nil {
		return nil, err
	}
	backend, err := LookupBackend(param.GetBackend().String())
	if err != nil {
		return nil, err
	}
	if l.source, err = backend.Open(param.GetSource(), o.Log); err != nil {
		return nil, err
	}
	l.decoding.source, l.logWraps = param.GetSource(), true
	l.decoding.mode = decode.Unchanged
	if t := p.GetTransformParam(); t.GetForceColor() {
		l.decoding.mode = decode.Color
	} else if t.GetForceGray() {
		l.decoding.mode = decode.Gray
	}
	if o.Ranks > 1 && l.transform.train {
		l.rank, l.ranks = int64(o.Rank), int64(o.Ranks)
	}
	if l.transform.random() {
		o.Random() // Caffe seeds the transformer twice, and the second seed counts
		l.seed = o.Random()
	}
	o.Random() // the seed of Caffe's prefetch thread
	return l, l.probe("data_layer.cpp", 45)
}

// OpenImageData makes the Loader of an ImageData layer: image_data_param, transform_param.
func OpenImageData(p *caffepb.LayerParameter, o Options) (*Loader, error) {
	param := p.GetImageDataParam()
	if n := len(p.GetTop()); n != 2 {
		return nil, fmt.Errorf("an ImageData layer has 2 tops (data, label), not %d", n)
	}
	if (param.GetNewHeight() == 0) != (param.GetNewWidth() == 0) {
		return nil, errors.New("Current implementation requires new_height and new_width to be set at the same time.")
	}
	if pixels := uint64(param.GetNewHeight()) * uint64(param.GetNewWidth()); pixels > decode.MaxPixels {
		return nil, fmt.Errorf("new_height %d times new_width %d is more than %d pixels", param.GetNewHeight(), param.GetNewWidth(), decode.MaxPixels)
	}
	l, err := newLoader(p, &o, param.GetBatchSize())
	if err != nil {
		return nil, err
	}
	l.decoding = decoding{source: param.GetSource(), mode: decode.Color, height: int(param.GetNewHeight()), width: int(param.GetNewWidth())}
	if !param.GetIsColor() {
		l.decoding.mode = decode.Gray
	}
	if err := l.openList(param, &o); err != nil {
		return nil, err
	}
	return l, l.probe("image_data_layer.cpp", 90)
}

// openList opens the list and draws the layer's seeds: transformer, shuffle, skip, transformer again, prefetch thread.
func (l *Loader) openList(param *caffepb.ImageDataParameter, o *Options) error {
	const file = "image_data_layer.cpp"
	if l.transform.random() {
		o.Random()
	}
	l.later.Infof(file, 38, "Opening file %s", param.GetSource())
	list, err := openList(param.GetSource(), param.GetRootFolder(), o.Compat)
	if err != nil {
		return err
	}
	l.source = list
	if param.GetShuffle() {
		l.later.Infof(file, 53, "Shuffling data")
		list.startShuffle(o.Random())
	} else if l.transform.train && o.Rank > 0 && param.GetRandSkip() == 0 {
		l.later.Warningf(file, 60, "Shuffling or skipping recommended for multi-GPU")
	}
	l.later.Infof(file, 63, "A total of %d images.", list.Len())
	if n := param.GetRandSkip(); n > 0 {
		skip := o.Random() % n
		l.later.Infof(file, 70, "Skipping first %d data points.", skip)
		if err := list.skip(int64(skip)); err != nil {
			return err
		}
		l.consumed.Mark = list.at
	}
	if l.transform.random() {
		l.seed = o.Random()
	}
	o.Random() // the seed of Caffe's prefetch thread
	return nil
}

// maxPrefetch bounds what a typing error in prefetch may ask for.
const maxPrefetch = 1 << 12

// newLoader checks what all data layers share, and completes the options.
func newLoader(p *caffepb.LayerParameter, o *Options, batch uint32) (*Loader, error) {
	if o.Log == nil {
		o.Log = Discard
	}
	if o.Random == nil {
		o.Random = func() uint32 { return 0 }
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if batch == 0 || batch > math.MaxInt32 {
		return nil, fmt.Errorf("Positive batch size required: batch_size is %d", batch)
	}
	prefetch := p.GetDataParam().GetPrefetch()
	if prefetch == 0 || prefetch > maxPrefetch {
		return nil, fmt.Errorf("prefetch is %d; it must be from 1 to %d batches", prefetch, maxPrefetch)
	}
	train := o.Phase == caffepb.Phase_TRAIN
	if p.Phase != nil {
		train = p.GetPhase() == caffepb.Phase_TRAIN
	}
	l := &Loader{log: o.Log, tops: len(p.GetTop()), batch: int(batch), prefetch: int(prefetch), workers: o.Workers, ranks: 1}
	param := p.GetTransformParam()
	if param == nil {
		param = new(caffepb.TransformationParameter)
	}
	var err error
	l.transform, err = newTransform(param, train, &l.later)
	l.forced = param.GetForceColor() || param.GetForceGray()
	return l, err
}

// heldLines are log lines to be written later.
type heldLines []func(Logger)

func (h *heldLines) Infof(file string, line int, format string, args ...any) {
	*h = append(*h, func(log Logger) { log.Infof(file, line, format, args...) })
}

func (h *heldLines) Warningf(file string, line int, format string, args ...any) {
	*h = append(*h, func(log Logger) { log.Warningf(file, line, format, args...) })
}

func (h *heldLines) flush(log Logger) {
	for _, write := range *h {
		write(log)
	}
	*h = nil
}
