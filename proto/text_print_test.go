package proto

import (
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// logged cuts the messages that Caffe printed after that line out of a log.
func logged(log, after string) []string {
	var texts []string
	prefix := regexp.MustCompile(`^[IWEF]\d{4,8} `)
	lines := strings.SplitAfter(log, "\n")
	for i, line := range lines {
		if !strings.HasSuffix(strings.TrimRight(line, " \n"), after) {
			continue
		}
		var b strings.Builder
		for _, line := range lines[i+1:] {
			if prefix.MatchString(line) {
				break
			}
			b.WriteString(line)
		}
		texts = append(texts, b.String())
	}
	return texts
}

func testLogged(t *testing.T, path string) {
	log := string(mustRead(t, path))
	solvers := logged(log, "Initializing solver from parameters:")
	nets := logged(log, "Initializing net from parameters:")
	if len(solvers) == 0 || len(nets) == 0 {
		t.Fatalf("%s: %d solvers and %d nets found", path, len(solvers), len(nets))
	}
	check := func(text string, m proto.Message) {
		t.Helper()
		if err := UnmarshalText(path, []byte(text), m); err != nil {
			t.Fatal(err)
		}
		// Some lines of a log end a net with an empty line of their own.
		if got := Text(m); got != text && got+"\n" != text {
			t.Errorf("%s: got:\n%s\nwant:\n%s", path, got, text)
		}
	}
	for _, text := range solvers {
		check(text, new(caffepb.SolverParameter))
	}
	for _, text := range nets {
		check(text, new(caffepb.NetParameter))
	}
}

// TestTextEqualsCaffesLog prints what real Caffe printed.
func TestTextEqualsCaffesLog(t *testing.T) {
	for _, path := range filesBelow(t, filepath.Join(goldenDir, "solvers"), "log.txt") {
		testLogged(t, path)
	}
}

func TestTextEqualsCaffesLogMNIST(t *testing.T) {
	for _, path := range filesBelow(t, sharedtest.Dir(t, "golden/mnist"), ".log") {
		testLogged(t, path)
	}
}

// TestSolverFileAsLogged goes from the solver file to the text that Caffe logged for it. The train
// state and the weights came from the command line.
func TestSolverFileAsLogged(t *testing.T) {
	for _, path := range filesBelow(t, filepath.Join(goldenDir, "solvers"), "solver.prototxt") {
		f, err := ReadSolver(path)
		if err != nil {
			t.Error(err)
			continue
		}
		want := logged(string(mustRead(t, filepath.Join(filepath.Dir(path), "log.txt"))), "Initializing solver from parameters:")[0]
		f.Solver.TrainState = &caffepb.NetState{Level: proto.Int32(0), Stage: []string{""}}
		if i := strings.Index(want, "weights: "); i >= 0 {
			f.Solver.Weights = []string{strings.Split(want[i:], "\"")[1]}
		}
		if got := Text(f.Solver); got != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", path, got, want)
		}
	}
}

// TestTextIsStable reads every golden prototxt, prints it and reads it again.
func TestTextIsStable(t *testing.T) {
	for _, path := range filesBelow(t, goldenDir, ".prototxt") {
		var m proto.Message = new(caffepb.NetParameter)
		if strings.HasSuffix(path, "solver.prototxt") {
			m = new(caffepb.SolverParameter)
		}
		err := UnmarshalText(path, mustRead(t, path), m)
		if strings.HasSuffix(path, "unknown_field.prototxt") {
			const want = `unknown_field.prototxt:15:25: Message type "caffe.InnerProductParameter" has no field named "num_outputs". did you mean num_output?`
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		checkStable(t, path, m)
	}
}

func checkStable(t *testing.T, path string, m proto.Message) {
	t.Helper()
	again := m.ProtoReflect().New().Interface()
	text := Text(m)
	if err := UnmarshalText(path, []byte(text), again); err != nil {
		t.Errorf("printed text cannot be read: %v", err)
		return
	}
	if !proto.Equal(m, again) || Text(again) != text {
		t.Errorf("%s: another message after printing and reading", path)
	}
}

func TestFloatsAsPrintedByC(t *testing.T) {
	singles := map[float32]string{
		0: "0", 1: "1", -2.5: "-2.5", 0.1: "0.1", 0.0005: "0.0005", 0.00001: "1e-05", 1e-4: "0.0001", 100000: "100000",
		1e6: "1e+06", 123456: "123456", 1234567: "1234567", 16777216: "16777216", 0.0078125: "0.0078125", 1.0 / 3: "0.333333343", 1e10: "1e+10", 3.4028235e38: "3.40282347e+38", 1e-45: "1.4013e-45",
		float32(math.Inf(1)): "inf", float32(math.Inf(-1)): "-inf",
	}
	for f, want := range singles {
		if got := string(appendFloat(nil, f)); got != want {
			t.Errorf("float %v prints as %s, want %s", f, got, want)
		}
	}
	if got := string(appendFloat(nil, float32(math.Copysign(0, -1)))); got != "-0" {
		t.Errorf("minus zero prints as %s", got)
	}
	if got := string(appendFloat(nil, float32(math.NaN()))); got != "nan" {
		t.Errorf("NaN prints as %s", got)
	}
	doubles := map[float64]string{0.1: "0.1", 1.0 / 3: "0.33333333333333331", 1e15: "1e+15", 123456789012345: "123456789012345", 1e-5: "1e-05", math.Inf(-1): "-inf"}
	for f, want := range doubles {
		if got := string(appendDouble(nil, f)); got != want {
			t.Errorf("double %v prints as %s, want %s", f, got, want)
		}
	}
}

// TestUnknownFieldsPrint: weight files of forks have fields by number alone.
func TestUnknownFieldsPrint(t *testing.T) {
	var raw []byte
	raw = protowire.AppendVarint(protowire.AppendTag(raw, 900, protowire.VarintType), 7)
	raw = protowire.AppendFixed32(protowire.AppendTag(raw, 901, protowire.Fixed32Type), 0x3f800000)
	raw = protowire.AppendFixed64(protowire.AppendTag(raw, 902, protowire.Fixed64Type), 1)
	raw = protowire.AppendString(protowire.AppendTag(raw, 903, protowire.BytesType), "\xfftext")
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 2)
	raw = protowire.AppendBytes(protowire.AppendTag(raw, 904, protowire.BytesType), inner)
	raw = protowire.AppendGroup(protowire.AppendTag(raw, 905, protowire.StartGroupType), 905, inner)
	state := &caffepb.NetState{Level: proto.Int32(1)}
	if err := proto.Unmarshal(raw, state); err != nil {
		t.Fatal(err)
	}
	state.Level = proto.Int32(1)
	want := "level: 1\n900: 7\n901: 0x3f800000\n902: 0x0000000000000001\n903: \"\\377text\"\n904 {\n  1: 2\n}\n905 {\n  1: 2\n}\n"
	if got := Text(state); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := Text(&caffepb.NetState{Phase: caffepb.Phase(9).Enum()}); got != "phase: 9\n" {
		t.Errorf("an unknown enum value prints as %q", got)
	}
}
