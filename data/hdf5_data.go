package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// HDF5Loader gives the batches of an HDF5Data layer: rows of datasets named as its tops, from one file after the other. A whole file is in
// memory at a time, and read when its turn comes. It is used by one goroutine at a time.
type HDF5Loader struct {
	source  string
	files   []string
	tops    []string
	batch   int
	shuffle bool
	log     Logger
	later   heldLines

	rank, ranks int64
	rows        []engine.Shape // of one row of each top, from the first file
	at          hdf5Place
	sets        [][]float32 // the datasets of the present file, one a top
	count       int         // its rows
	order       []int32     // of its rows; nil without shuffling
	wait        time.Duration
}

// hdf5Place is a row in the sequence of all rows.
type hdf5Place struct {
	Round  int   `json:"round"`  // how often the first file has come again
	File   int   `json:"file"`   // place in the round's order of files
	Row    int   `json:"row"`    // place in the file's order of rows
	Offset int64 `json:"offset"` // rows gone by, those of other ranks included
}

// OpenHDF5Data makes the HDF5Loader of an HDF5Data layer: hdf5_data_param.
//
// With shuffle, files and rows come in an order of their own in each round. Caffe takes it from C's rand(), which random_seed does not
// reach: its orders differ from these, but both are the same in each run.
func OpenHDF5Data(p *caffepb.LayerParameter, o Options) (*HDF5Loader, error) {
	param := p.GetHdf5DataParam()
	if o.Log == nil {
		o.Log = Discard
	}
	if n := param.GetBatchSize(); n == 0 || n > math.MaxInt32 {
		return nil, fmt.Errorf("Positive batch size required: batch_size is %d", n)
	}
	l := &HDF5Loader{
		source: param.GetSource(), tops: p.GetTop(), batch: int(param.GetBatchSize()), shuffle: param.GetShuffle(), log: o.Log, ranks: 1,
	}
	train := o.Phase == caffepb.Phase_TRAIN
	if p.Phase != nil {
		train = p.GetPhase() == caffepb.Phase_TRAIN
	}
	if train && o.Ranks > 1 {
		l.rank, l.ranks = int64(o.Rank), int64(o.Ranks)
	}
	l.later.Infof("hdf5_data_layer.cpp", 81, "Loading list of HDF5 filenames from: %s", l.source)
	text, err := os.ReadFile(l.source)
	if err != nil {
		return nil, fmt.Errorf("Failed to open source file: %w", err)
	}
	if l.files = strings.Fields(string(text)); len(l.files) == 0 {
		return nil, fmt.Errorf("Must have at least 1 HDF5 filename listed in %s", l.source)
	}
	l.later.Infof("hdf5_data_layer.cpp", 95, "Number of HDF5 files: %d", len(l.files))
	return l, l.load()
}

// Shapes are the shapes of the tops: the batch size, and behind it the shape of a row.
func (l *HDF5Loader) Shapes() ([]engine.Shape, error) {
	l.later.flush(l.log)
	shapes := make([]engine.Shape, len(l.rows))
	for i, row := range l.rows {
		shapes[i] = append(engine.Shape{l.batch}, row...)
	}
	return shapes, nil
}

// Next writes the next batch, one slice a top. Their lengths are the counts of Shapes.
func (l *HDF5Loader) Next(dst ...[]float32) error {
	if l.files == nil {
		return fmt.Errorf("%s is closed", l.source)
	}
	if len(dst) != len(l.rows) {
		return fmt.Errorf("the batch has %d tops, not %d", len(l.rows), len(dst))
	}
	for i, row := range l.rows {
		if n := l.batch * row.Count(); len(dst[i]) != n {
			return fmt.Errorf("top %s has %d values, which do not fit the buffer of %d", l.tops[i], n, len(dst[i]))
		}
	}
	for i := range l.batch {
		for l.at.Offset%l.ranks != l.rank {
			if err := l.step(); err != nil {
				return err
			}
		}
		from := l.at.Row
		if l.order != nil {
			from = int(l.order[from])
		}
		for j, row := range l.rows {
			n := row.Count()
			copy(dst[j][i*n:(i+1)*n], l.sets[j][from*n:])
		}
		if err := l.step(); err != nil {
			return err
		}
	}
	return nil
}

// step goes on to the next row.
func (l *HDF5Loader) step() error {
	l.at.Offset++
	if l.at.Row++; l.at.Row < l.count {
		return nil
	}
	l.at.Row = 0
	if l.at.File++; l.at.File == len(l.files) {
		l.at.File = 0
		l.at.Round++
	}
	if len(l.files) == 1 {
		l.reorder()
		return nil
	}
	return l.load()
}

// load reads the file of the present place.
func (l *HDF5Loader) load() error {
	start := time.Now()
	path := l.files[l.permuted(len(l.files), 0)[l.at.File]]
	f, err := hdf5.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", l.source, err)
	}
	err = l.read(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %s: %w", l.source, path, err)
	}
	l.reorder()
	l.wait += time.Since(start)
	return nil
}

// read reads the tops' datasets. All have as many rows, and a row has the shape that it had in the first file.
func (l *HDF5Loader) read(f *hdf5.File) error {
	sets, rows, count := make([][]float32, len(l.tops)), make([]engine.Shape, len(l.tops)), 0
	for i, top := range l.tops {
		shape, data, err := f.ReadFloats(top)
		switch {
		case err != nil:
			return err
		case len(shape) == 0:
			return fmt.Errorf("dataset %s is a scalar: want rows along its first axis", top)
		case i > 0 && shape[0] != count:
			return fmt.Errorf("dataset %s has %d rows, dataset %s has %d", top, shape[0], l.tops[0], count)
		case shape[0] == 0:
			return fmt.Errorf("dataset %s has no rows", top)
		case l.rows != nil && !slices.Equal(shape[1:], l.rows[i]):
			return fmt.Errorf("a row of dataset %s has shape %v, in the first file it has %v", top, engine.Shape(shape[1:]), l.rows[i])
		}
		sets[i], rows[i], count = data, shape[1:], shape[0]
	}
	l.sets, l.rows, l.count = sets, rows, count
	return nil
}

// reorder shuffles the rows of the present file.
func (l *HDF5Loader) reorder() {
	if l.shuffle {
		l.order = l.permuted(l.count, uint32(l.at.File)+1)
	}
}

// permuted is an order of n things in the present round: as they are without shuffle. That it depends on the place alone makes a place
// enough to resume.
func (l *HDF5Loader) permuted(n int, which uint32) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	if l.shuffle {
		const golden = 0x9E3779B1 // spreads rounds over the seeds
		rng.New(uint32(l.at.Round)*golden+which).Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}

// hdf5State is what HDF5Loader.State writes.
type hdf5State struct {
	Version int       `json:"version"`
	Source  string    `json:"source"`
	Files   int       `json:"files"`
	Next    hdf5Place `json:"next"`
}

// State is the place after the batches that Next has given, as JSON.
func (l *HDF5Loader) State() ([]byte, error) {
	return json.Marshal(hdf5State{Version: stateVersion, Source: l.source, Files: len(l.files), Next: l.at})
}

// Restore goes on where State was taken.
func (l *HDF5Loader) Restore(b []byte) error {
	var s hdf5State
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("not the position of an HDF5Data layer: %w", err)
	}
	switch p := s.Next; {
	case s.Version != stateVersion:
		return fmt.Errorf("the position of %s is in format %d, this program knows %d", s.Source, s.Version, stateVersion)
	case s.Files != len(l.files):
		return fmt.Errorf("%s lists %d files, but %s listed %d when the position was kept: resume with the data of that run", l.source, len(l.files), s.Source, s.Files)
	case p.Round < 0 || p.Row < 0 || p.Offset < 0 || p.File < 0 || p.File >= len(l.files):
		return fmt.Errorf("not a position in %s: %+v", l.source, p)
	}
	l.at = s.Next
	if err := l.load(); err != nil {
		return err
	}
	if l.at.Row >= l.count {
		return fmt.Errorf("%s: file %d has %d rows, none at position %d: resume with the data of that run", l.source, l.at.File, l.count, l.at.Row)
	}
	return nil
}

// Wait is how long reading files has taken, in total.
func (l *HDF5Loader) Wait() time.Duration { return l.wait }

// Close drops the data. The HDF5Loader cannot be used afterwards.
func (l *HDF5Loader) Close() error {
	l.files, l.sets = nil, nil
	return nil
}
