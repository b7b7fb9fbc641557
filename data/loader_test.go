package data_test

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
	"google.golang.org/protobuf/proto"
)

// lines keeps log lines as "file:line text".
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Infof(file string, line int, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf("%s:%d %s", file, line, fmt.Sprintf(format, args...)))
}

func (l *lines) Warningf(file string, line int, format string, args ...any) {
	l.Infof(file, line, "W "+format, args...)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

// mustOpen opens the first layer of a prototxt in the golden folder, in the phase TRAIN.
func mustOpen(t testing.TB, text string, o data.Options) *data.Loader {
	t.Helper()
	l, err := open(layer(t, text), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// augmented are layers that draw all that can be drawn.
var augmented = map[string]string{
	"Data": `layer { type: "Data" top: "data" top: "label" data_param { source: "lmdb_resized" batch_size: 4 backend: LMDB }
		transform_param { mirror: true crop_size: 31 mean_value: 100 } }`,
	"mean image": `layer { type: "Data" top: "data" data_param { source: "lmdb_resized" batch_size: 4 backend: LMDB }
		transform_param { mirror: true crop_size: 31 mean_file: "mean.binaryproto" scale: 0.017 } }`,
	"LevelDB": `layer { type: "Data" top: "data" top: "label" data_param { source: "leveldb_resized" batch_size: 4 }
		transform_param { mirror: true crop_size: 31 } }`,
	"encoded": `layer { type: "Data" top: "data" top: "label" data_param { source: "lmdb_encoded_jpg" batch_size: 5 backend: LMDB prefetch: 2 }
		transform_param { mirror: true crop_size: 40 force_gray: true } }`,
	"ImageData": `layer { type: "ImageData" top: "data" top: "label" transform_param { mirror: true crop_size: 31 scale: 0.5 }
		image_data_param { source: "list.txt" root_folder: "images/" batch_size: 4 new_height: 40 new_width: 50 shuffle: true rand_skip: 5 } }`,
}

func batches(t testing.TB, l *data.Loader, n int) [][]npz.Array {
	t.Helper()
	var all [][]npz.Array
	for range n {
		all = append(all, nextBatch(t, l))
	}
	return all
}

func TestWorkersDoNotMatter(t *testing.T) {
	t.Chdir(goldenFolder(t))
	for name, text := range augmented {
		var want [][]npz.Array
		for _, workers := range []int{1, 2, 7} {
			l := mustOpen(t, text, data.Options{Workers: workers, Random: rng.New(5).Uint32})
			got := batches(t, l, 9)
			if want == nil {
				want = got
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %d workers give other batches than 1", name, workers)
			}
		}
	}
}

// What a device makes of bytes is what the host makes.
func TestPixelsEqualNumbers(t *testing.T) {
	t.Chdir(goldenFolder(t))
	for name, text := range augmented {
		want := batches(t, mustOpen(t, text, data.Options{Random: rng.New(5).Uint32}), 9)
		for _, workers := range []int{1, 7} {
			l := mustOpen(t, text, data.Options{Workers: workers, Random: rng.New(5).Uint32})
			l.TakePixels()
			if format, err := l.Pixels(); err != nil || format == nil {
				t.Errorf("%s: no bytes: %v", name, err)
			}
			if got := batches(t, l, 9); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: with %d workers, bytes give other batches than numbers", name, workers)
			}
		}
	}
}

// A batch that has a record of float_data is numbers, whichever record that is, and so its neighbours need not be.
func TestPixelsOfMixedRecords(t *testing.T) {
	var records []*caffepb.Datum
	for i := range 12 {
		d := &caffepb.Datum{Channels: proto.Int32(1), Height: proto.Int32(2), Width: proto.Int32(3), Label: proto.Int32(int32(i))}
		if i == 4 || i == 6 || i == 11 {
			d.FloatData = []float32{1.5, 2.5, 3.5, 4.5, 5.5, float32(i)}
		} else {
			d.Data = []byte{250, 2, 3, 4, 5, byte(i)}
		}
		records = append(records, d)
	}
	path := writeDatums(t, records...)
	text := fmt.Sprintf(`layer { type: "Data" top: "data" top: "label" data_param { source: %q backend: LMDB batch_size: 3 }
		transform_param { mirror: true crop_size: 2 mean_value: 3 scale: 0.5 } }`, path)
	want := batches(t, mustOpen(t, text, data.Options{Random: rng.New(5).Uint32}), 8)
	for _, workers := range []int{1, 4} {
		l := mustOpen(t, text, data.Options{Workers: workers, Random: rng.New(5).Uint32})
		l.TakePixels()
		for i, w := range want {
			format, err := l.Pixels()
			if bytes := i%4 == 0; err != nil || (format != nil) != bytes {
				t.Errorf("batch %d: bytes %v, want %v (%v)", i, format != nil, bytes, err)
			}
			if got := nextBatch(t, l); !reflect.DeepEqual(got, w) {
				t.Errorf("batch %d: %v, want %v", i, got, w)
			}
		}
	}
}

// A run that is cut anywhere, and goes on with State in another process, has the batches of one that is not.
func TestResumeIsExact(t *testing.T) {
	t.Chdir(goldenFolder(t))
	const n = 12
	for name, text := range augmented {
		want := batches(t, mustOpen(t, text, data.Options{Random: rng.New(5).Uint32}), n)
		for cut := range n {
			l := mustOpen(t, text, data.Options{Random: rng.New(5).Uint32})
			if cut%2 > 0 {
				l.TakePixels()
			}
			batches(t, l, cut)
			state, err := l.State()
			if err != nil {
				t.Fatal(err)
			}
			other := mustOpen(t, text, data.Options{Random: rng.New(99).Uint32})
			batches(t, other, cut%3) // also from a loader that runs already
			if err := other.Restore(state); err != nil {
				t.Fatal(err)
			}
			if got := batches(t, other, n-cut); !reflect.DeepEqual(got, want[cut:]) {
				t.Errorf("%s: cut after %d batches, the run goes on differently", name, cut)
			}
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Chdir(goldenFolder(t))
	l := mustOpen(t, augmented["Data"], data.Options{})
	for state, want := range map[string]string{
		"garbage":       "not the position of a data layer",
		`{"version":9}`: "in format 9",
		`{"version":1,"source":"old","len":1000,"next":{"pos":1}}`:          "lmdb_resized has 9 records, but old had 1000",
		`{"version":1,"len":9,"next":{"pos":-1}}`:                           "corrupt",
		`{"version":1,"len":9,"next":{"pos":3,"after":"` + "AAAA" + `"}}`:   `has no record "\x00\x00\x00", after which to go on`,
		`{"version":1,"len":-1,"next":{"pos":30,"after":"` + "AAAA" + `"}}`: "has 9 records, none at position 30",
	} {
		if err := l.Restore([]byte(state)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Restore(%s): %v, want %q", state, err, want)
		}
	}
}

// Crops and mirrors are those that Caffe draws: the layer's stream has the second seed taken from the process's stream, and each record
// takes mirror, top and left from it.
func TestDrawsAsCaffe(t *testing.T) {
	t.Chdir(goldenFolder(t))
	whole := mustOpen(t, `layer { type: "Data" top: "data" data_param { source: "lmdb_resized" batch_size: 9 backend: LMDB } }`, data.Options{})
	full := nextBatch(t, whole)[0]
	c, h, w := full.Shape[1], full.Shape[2], full.Shape[3]
	const crop = 31
	l := mustOpen(t, strings.Replace(augmented["Data"], "mean_value: 100", "", 1), data.Options{Random: rng.New(5).Uint32})
	process := rng.New(5)
	process.Uint32()
	stream := rng.New(process.Uint32())
	for record := range 20 {
		var got npz.Array
		if record%4 == 0 {
			got = nextBatch(t, l)[0]
			for i := range 4 {
				mirror, top, left := stream.Uint32()%2 == 1, int(stream.Uint32()%uint32(h-crop+1)), int(stream.Uint32()%uint32(w-crop+1))
				for at := range c * crop * crop {
					ch, y, x := at/(crop*crop), at/crop%crop, at%crop
					if mirror {
						x = crop - 1 - x
					}
					want := full.Data[(((record+i)%9*c+ch)*h+top+y)*w+left+x]
					if v := got.Data[i*c*crop*crop+at]; v != want {
						t.Fatalf("record %d, value %d: %v, want %v", record+i, at, v, want)
					}
				}
			}
		}
	}
}

// The list is shuffled at the start and again at each wrap, from the permutation it has.
func TestShuffleAsCaffe(t *testing.T) {
	t.Chdir(goldenFolder(t))
	l := mustOpen(t, `layer { type: "ImageData" top: "data" top: "label"
		image_data_param { source: "list.txt" root_folder: "images/" batch_size: 9 new_height: 8 new_width: 8 shuffle: true } }`,
		data.Options{Random: rng.New(3).Uint32})
	labels := []float32{0, 1, 2, 0, 1, 2, 0, 1, 2} // of list.txt
	shuffle := rng.New(rng.New(3).Uint32())
	for round := range 4 {
		shuffle.Shuffle(len(labels), func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })
		if got := nextBatch(t, l)[1].Data; !slices.Equal(got, labels) {
			t.Errorf("round %d: labels %v, want %v", round, got, labels)
		}
	}
}

// Record k goes to rank k mod N while training; when testing, all go to every rank.
func TestRanks(t *testing.T) {
	path := makeDB(t, "LMDB", 10, 1, 2, 2)
	text := fmt.Sprintf(`layer { type: "Data" top: "data" top: "label" data_param { source: %q backend: LMDB batch_size: 4 } }`, path)
	for rank := range 3 {
		l := mustOpen(t, text, data.Options{Rank: rank, Ranks: 3})
		var want, got []float32
		for k := range 8 {
			want = append(want, float32((3*k+rank)%10))
		}
		for _, b := range batches(t, l, 2) {
			got = append(got, b[1].Data...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("rank %d of 3: records %v, want %v", rank, got, want)
		}
	}
	l := mustOpen(t, text, data.Options{Rank: 1, Ranks: 3, Phase: caffepb.Phase_TEST})
	if got := nextBatch(t, l)[1].Data; !slices.Equal(got, []float32{0, 1, 2, 3}) {
		t.Errorf("TEST on rank 1: records %v", got)
	}
}

// The first record of each batch decides the shape.
func TestShapesChangeBetweenBatches(t *testing.T) {
	t.Chdir(goldenFolder(t))
	l := mustOpen(t, `layer { type: "ImageData" top: "data" top: "label" image_data_param { source: "list.txt" root_folder: "images/" } }`, data.Options{})
	for _, want := range [][]int{{1, 3, 135, 180}, {1, 3, 160, 200}, {1, 3, 240, 321}, {1, 3, 121, 160}} {
		if got := nextBatch(t, l)[0].Shape; !slices.Equal(got, want) {
			t.Errorf("shape %v, want %v", got, want)
		}
	}
}

func TestLog(t *testing.T) {
	t.Chdir(goldenFolder(t))
	for _, c := range []struct{ layer, opened, shaped string }{
		{`layer { type: "Data" top: "data" data_param { source: "lmdb_resized" batch_size: 7 backend: LMDB } transform_param { mean_file: "mean.binaryproto" } }`,
			"db_lmdb.cpp:35 Opened lmdb lmdb_resized",
			"data_transformer.cpp:25 Loading mean file from: mean.binaryproto\ndata_layer.cpp:45 output data size: 7,3,64,80"},
		{`layer { type: "Data" top: "data" data_param { source: "leveldb_resized" batch_size: 7 } transform_param { force_gray: true } }`,
			"db_leveldb.cpp:18 Opened leveldb leveldb_resized",
			"data_transformer.cpp:152 W force_color and force_gray only for encoded datum\ndata_layer.cpp:45 output data size: 7,3,40,40"},
		{`layer { type: "ImageData" top: "data" top: "label" image_data_param { source: "list.txt" root_folder: "images/" new_height: 9 new_width: 8 shuffle: true rand_skip: 1 } }`,
			"", "image_data_layer.cpp:38 Opening file list.txt\nimage_data_layer.cpp:53 Shuffling data\nimage_data_layer.cpp:63 A total of 9 images.\n" +
				"image_data_layer.cpp:70 Skipping first 0 data points.\nimage_data_layer.cpp:90 output data size: 1,3,9,8"},
	} {
		var log lines
		l := mustOpen(t, c.layer, data.Options{Log: &log})
		if got := log.text(); got != c.opened {
			t.Errorf("opened: %q, want %q", got, c.opened)
		}
		log.all = nil
		for range 2 {
			if _, err := l.Shapes(); err != nil {
				t.Fatal(err)
			}
		}
		if got := log.text(); got != c.shaped {
			t.Errorf("set up: %q, want %q", got, c.shaped)
		}
	}
	var log lines
	l := mustOpen(t, augmented["Data"], data.Options{Log: &log})
	batches(t, l, 5) // 20 of 9 records: two wraps, and those of batches made ahead
	if n := strings.Count(log.text(), "data_layer.cpp:73 Restarting data prefetching from start."); n < 2 || n > 4 {
		t.Errorf("%d restarts logged, want 2 to 4", n)
	}
}

func TestCloseEndsGoroutines(t *testing.T) {
	t.Chdir(goldenFolder(t))
	before := runtime.NumGoroutine()
	for name, text := range augmented {
		l := mustOpen(t, text, data.Options{Workers: 3})
		nextBatch(t, l)
		if err := l.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := l.Shapes(); err == nil || !strings.Contains(err.Error(), "is closed") {
			t.Errorf("%s: Shapes after Close: %v", name, err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after Close", before, runtime.NumGoroutine())
		}
	}
}

func TestNextChecksBuffers(t *testing.T) {
	t.Chdir(goldenFolder(t))
	l := mustOpen(t, augmented["Data"], data.Options{})
	if err := l.Next(make([]float32, 5), make([]float32, 4)); err == nil || !strings.Contains(err.Error(), "does not fit the buffers") {
		t.Errorf("short buffer: %v", err)
	}
	if err := l.Next(make([]float32, 4*3*31*31)); err == nil || !strings.Contains(err.Error(), "does not fit the buffers") {
		t.Errorf("no label buffer: %v", err)
	}
	if l.Wait() <= 0 {
		t.Error("Wait is 0 after the first batch")
	}
}
