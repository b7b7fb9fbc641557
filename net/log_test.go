package net_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// recorder keeps log lines without the part of the prefix that differs from run
// to run.
type recorder struct{ lines []string }

func (r *recorder) Infof(file string, line int, format string, args ...any) {
	text := strings.TrimSuffix(fmt.Sprintf(format, args...), "\n")
	r.lines = append(r.lines, strings.Split(fmt.Sprintf("%s:%d] %s", file, line, text), "\n")...)
}

func (r *recorder) Warningf(file string, line int, format string, args ...any) {
	r.Infof(file, line, "WARNING "+format, args...)
}

// counting is a source of batches of fixed shapes: element k of batch i is i.
type counting struct {
	shapes []engine.Shape
	next   int
	closed bool
}

func (s *counting) Shapes() ([]engine.Shape, error) { return s.shapes, nil }

func (s *counting) Next(dst ...[]float32) error {
	if s.closed {
		return errors.New("read after close")
	}
	for _, d := range dst {
		for i := range d {
			d[i] = float32(s.next)
		}
	}
	s.next++
	return nil
}

func (s *counting) State() ([]byte, error) { return []byte{byte(s.next)}, nil }

func (s *counting) Restore(b []byte) error { s.next = int(b[0]); return nil }

func (s *counting) Wait() time.Duration { return time.Millisecond * time.Duration(s.next) }

func (s *counting) Close() error { s.closed = true; return nil }

// logging is a source that logs as Caffe's Data layer does.
type logging struct {
	counting
	log *recorder
}

func (s *logging) Shapes() ([]engine.Shape, error) {
	x := s.shapes[0]
	s.log.Infof("data_layer.cpp", 45, "output data size: %d,%d,%d,%d", x[0], x[1], x[2], x[3])
	return s.shapes, nil
}

// goldenInit reads from a log of real Caffe what it says while it builds its
// nets, one list a net: from the first rule that differs, or the net's text, to
// the end of initialisation.
func goldenInit(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	must(t, err)
	defer file.Close()
	prefix := regexp.MustCompile(`^[IWE]\d{8} \S+ +\d+ `)
	var nets [][]string
	inside := false
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := prefix.ReplaceAllString(lines.Text(), "")
		starts := strings.Contains(line, "] The NetState") || strings.Contains(line, "] Initializing net from parameters")
		if starts && !inside {
			inside, nets = true, append(nets, nil)
		}
		// The thread that reads ahead logs when it happens to.
		if inside && !strings.Contains(line, "Restarting data prefetching") {
			nets[len(nets)-1] = append(nets[len(nets)-1], line)
		}
		if strings.HasSuffix(line, "] Network initialization done.") {
			inside = false
		}
	}
	must(t, lines.Err())
	return nets
}

// TestGoldenInitLog compares the whole log of building the train and the test
// net with that of real Caffe.
func TestGoldenInitLog(t *testing.T) {
	for _, c := range []struct{ solver, net string }{{"sgd_fixed", "net"}, {"sgd_bn", "net_bn"}, {"sgd_frozen", "net_frozen"}} {
		t.Run(c.solver, func(t *testing.T) {
			dir := filepath.Join("..", "testdata", "golden", "solvers")
			want := goldenInit(t, filepath.Join(dir, c.solver, "log.txt"))
			data := map[caffepb.Phase][]engine.Shape{caffepb.Phase_TRAIN: {{16, 3, 12, 12}, {16}}, caffepb.Phase_TEST: {{20, 3, 12, 12}, {20}}}
			compareInit(t, filepath.Join(dir, c.net+".prototxt"), want, data)
		})
	}
}

// TestMNISTInitLog does so for LeNet.
func TestMNISTInitLog(t *testing.T) {
	dir := sharedtest.Dir(t, "golden/mnist")
	want := goldenInit(t, filepath.Join(dir, "lenet_seed1701_600it.log"))
	data := map[caffepb.Phase][]engine.Shape{caffepb.Phase_TRAIN: {{64, 1, 28, 28}, {64}}, caffepb.Phase_TEST: {{100, 1, 28, 28}, {100}}}
	compareInit(t, filepath.Join(dir, "lenet_train_test.prototxt"), want, data)
}

func compareInit(t *testing.T, path string, want [][]string, data map[caffepb.Phase][]engine.Shape) {
	t.Helper()
	if len(want) != 2 {
		t.Fatalf("%d nets in the golden log, want 2", len(want))
	}
	f, err := proto.ReadNet(path)
	must(t, err)
	level := int32(0)
	states := []*caffepb.NetState{
		{Phase: caffepb.Phase_TRAIN.Enum(), Level: &level, Stage: []string{""}},
		{Phase: caffepb.Phase_TEST.Enum()},
	}
	for i, s := range states {
		log := &recorder{}
		n, err := net.New(f, net.Options{
			Device: device(t), State: s, Log: log, Backward: true,
			Open: func(l *spec.Layer, _ func() uint32) (net.Source, error) {
				log.Infof("db_lmdb.cpp", 35, "Opened lmdb %s", l.GetDataParam().GetSource())
				return &logging{counting{shapes: data[s.GetPhase()]}, log}, nil
			},
		})
		must(t, err)
		must(t, n.Close())
		compareLines(t, log.lines, want[i])
	}
}

func compareLines(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("line %d of %d (want %d) differs:\n%s\nwant\n%s", i+1, len(got), len(want),
				strings.Join(got[min(i, len(got)):min(i+4, len(got))], "\n"), strings.Join(want[min(i, len(want)):min(i+4, len(want))], "\n"))
			return
		}
	}
}
