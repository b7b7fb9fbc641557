package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gocaffe/gocaffe/data/decode"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// OpenWindowData makes the Loader of a WindowData layer: window_data_param, and of transform_param crop_size, mirror and the mean.
//
// As in Caffe, scale counts only where it stands in window_data_param. cache_images changes nothing: the system caches files.
func OpenWindowData(p *caffepb.LayerParameter, o Options) (*Loader, error) {
	param := p.GetWindowDataParam()
	if n := len(p.GetTop()); n != 2 {
		return nil, fmt.Errorf("a WindowData layer has 2 tops (data, label), not %d", n)
	}
	l, err := newLoader(p, &o, param.GetBatchSize())
	if err != nil {
		return nil, err
	}
	t := l.transform
	if t.crop == 0 {
		return nil, errors.New("transform_param.crop_size must be positive: it is the size that windows are warped to")
	}
	w := &windowing{crop: t.crop, pad: int(param.GetContextPad()), square: param.GetCropMode() == "square", scale: param.GetScale(), mean: t}
	if err := w.check(); err != nil {
		return nil, err
	}
	if t.random() {
		o.Random()
	}
	l.logWindows(param)
	s, err := openWindows(param, l.batch, t.mirror)
	if err != nil {
		return nil, err
	}
	s.start(o.Random())
	s.log(&l.later, param)
	if t.random() {
		o.Random()
	}
	o.Random() // the seed of Caffe's prefetch thread
	l.source = s
	l.decoding = decoding{source: param.GetSource(), mode: decode.Color, windows: w}
	l.transform = &transform{scale: 1} // windows come transformed
	if t.scale != 1 {
		l.later.Warningf("window_data_layer.cpp", 266, "transform_param.scale has no effect on a WindowData layer, as in Caffe; window_data_param.scale has")
	}
	return l, l.probe("window_data_layer.cpp", 180)
}

func (l *Loader) logWindows(p *caffepb.WindowDataParameter) {
	cached := 0
	if p.GetCacheImages() {
		cached = 1
	}
	l.later.Infof("window_data_layer.cpp", 53, "Window data layer:\n  foreground (object) overlap threshold: %g\n"+
		"  background (non-object) overlap threshold: %g\n  foreground sampling fraction: %g\n  cache_images: %d\n  root_folder: %s",
		p.GetFgThreshold(), p.GetBgThreshold(), p.GetFgFraction(), cached, p.GetRootFolder())
}

// window is one line of a window file.
type window struct {
	image          int32 // which one of the file's
	label          int32
	line           int32
	x1, y1, x2, y2 int32 // its corners, both inside
}

// windowSource draws windows: of each batch first those of the background, then those of the foreground.
type windowSource struct {
	name                   string
	images                 []windowImage
	background, foreground []window
	batch, front           int // windows a batch, those of the foreground among them
	mirror                 bool

	seed   uint32
	random *rng.Source
	pos    int64
}

type windowImage struct {
	path    string
	size    [3]int // channels, height, width, as the file says
	windows int
}

// openWindows reads a window file.
func openWindows(p *caffepb.WindowDataParameter, batch int, mirror bool) (*windowSource, error) {
	s := &windowSource{name: p.GetSource(), batch: batch, mirror: mirror, front: int(float32(batch) * p.GetFgFraction())}
	if s.front < 0 || s.front > batch {
		return nil, fmt.Errorf("fg_fraction %g: want 0 to 1", p.GetFgFraction())
	}
	if err := s.read(p); err != nil {
		return nil, err
	}
	switch {
	case len(s.images) == 0:
		return nil, fmt.Errorf("%s: Window file is empty", s.name)
	case len(s.background) == 0:
		return nil, fmt.Errorf("%s has no background window: none has an overlap below bg_threshold %g", s.name, p.GetBgThreshold())
	case len(s.foreground) == 0:
		return nil, fmt.Errorf("%s has no foreground window: none has an overlap of fg_threshold %g or more", s.name, p.GetFgThreshold())
	}
	return s, nil
}

// start begins to draw.
func (s *windowSource) start(seed uint32) {
	s.seed, s.random, s.pos = seed, rng.New(seed), 0
}

// Next draws a window. There are no rounds.
func (s *windowSource) Next(rec *Record) (last bool, err error) {
	from := s.background
	if int(s.pos%int64(s.batch)) >= s.batch-s.front {
		from = s.foreground
	}
	s.pos++
	w := from[s.random.Uint32()%uint32(len(from))]
	c := &cut{window: w}
	c.mirror = s.mirror && s.random.Uint32()%2 != 0
	*rec = Record{File: s.images[w.image].path, Label: w.label, Line: int(w.line), cut: c}
	return false, nil
}

// Seek draws again what was drawn before the mark.
func (s *windowSource) Seek(m Mark) error {
	if m.Pos < 0 || m.Round != 0 {
		return fmt.Errorf("window file %s has no position %d of round %d", s.name, m.Pos, m.Round)
	}
	s.start(s.seed)
	for range m.Pos {
		s.random.Uint32()
		if s.mirror {
			s.random.Uint32()
		}
	}
	s.pos = m.Pos
	return nil
}

func (s *windowSource) Len() int64   { return -1 }
func (s *windowSource) Name() string { return s.name }
func (s *windowSource) Close() error { return nil }

// log says what the file has.
func (s *windowSource) log(log Logger, p *caffepb.WindowDataParameter) {
	const file = "window_data_layer.cpp"
	for i := 0; i < len(s.images); i += 100 {
		m := s.images[i]
		log.Infof(file, 148, "num: %d %s %d %d %d windows to process: %d", i, m.path, m.size[0], m.size[1], m.size[2], m.windows)
	}
	log.Infof(file, 157, "Number of images: %d", len(s.images))
	counts := map[int32]int{0: len(s.background)}
	for _, w := range s.foreground {
		counts[w.label]++
	}
	for _, label := range slices.Sorted(maps.Keys(counts)) {
		log.Infof(file, 161, "class %d has %d samples", label, counts[label])
	}
	log.Infof(file, 165, "Amount of context padding: %d", p.GetContextPad())
	log.Infof(file, 168, "Crop mode: %s", p.GetCropMode())
}

// check refuses settings that no window can be cut with.
func (w *windowing) check() error {
	t := w.mean
	switch {
	case w.pad > 0 && 2*w.pad >= w.crop:
		return fmt.Errorf("context_pad %d on both sides leaves nothing of crop_size %d", w.pad, w.crop)
	case t.mean != nil && (t.meanDims[0] != 3 || t.meanDims[2] < w.crop || t.meanDims[1] < w.crop+(t.meanDims[2]-w.crop)/2):
		return fmt.Errorf("mean_file %s is %v (channels, height, width): want 3 channels and at least crop_size %d", t.meanFile, t.meanDims, w.crop)
	case len(t.values) > 1 && len(t.values) != 3:
		return fmt.Errorf("Specify either 1 mean_value or as many as channels: 3; there are %d", len(t.values))
	}
	return nil
}
