package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/gocaffe/gocaffe/cmd/gocaffe/internal/gflags"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// flags are Caffe's flags, which every command takes, and those that this program adds.
type flags struct {
	gpu, solver, model, phase, stage, snapshot, weights string
	sigint, sighup                                      string
	level, iterations                                   int32

	engine, precision, compat, logStyle string
	threads                             int32

	json                 bool   // time, summary
	metrics              string // train
	input, output, blobs string // forward
}

// add defines the flags of all commands. The names and defaults are Caffe's as far as Caffe has them.
func (f *flags) add(set *pflag.FlagSet) {
	set.StringVar(&f.gpu, "gpu", "", "device numbers separated by ',' or 'all': run on these GPUs, train on one of them")
	set.Int32Var(&f.iterations, "iterations", 50, "test, time: how many batches")
	set.Int32Var(&f.level, "level", 0, "level of the net's state")
	set.StringVar(&f.model, "model", "", "the net's prototxt")
	set.StringVar(&f.phase, "phase", "", "TRAIN or TEST, where a command takes it")
	set.StringVar(&f.sighup, "sighup_effect", "snapshot", "train: what SIGHUP does: snapshot, stop or none")
	set.StringVar(&f.sigint, "sigint_effect", "stop", "train: what SIGINT does: snapshot, stop or none")
	set.StringVar(&f.snapshot, "snapshot", "", "train: the .solverstate to resume from")
	set.StringVar(&f.solver, "solver", "", "train: the solver's prototxt")
	set.StringVar(&f.stage, "stage", "", "stages of the net's state separated by ','")
	set.StringVar(&f.weights, "weights", "", "trained weights separated by ',', read in this order; not together with -snapshot")

	set.StringVar(&f.engine, "engine", "", "what computes: cpu (oneDNN), cuda (an NVIDIA GPU, as -gpu 0) or ref (plain Go, slow); cpu where its libraries are found, if not given")
	set.StringVar(&f.precision, "precision", "fp32", "fp32: Caffe's numbers; bf16: products and activations in bfloat16, params in float32; tf32, where the engine has it")
	set.Int32Var(&f.threads, "threads", 0, "threads of the engine; 0 is one a core")
	set.StringVar(&f.compat, "compat", "", "bvlc: also Caffe's defects that scripts may depend on")
	set.StringVar(&f.logStyle, "log_style", "bvlc", "bvlc, or 2015: display lines without the iterations a second")
}

// check refuses values that no command takes.
func (f *flags) check() error {
	choices := []struct {
		name, value string
		allowed     []string
	}{
		{"compat", f.compat, []string{"", "bvlc"}},
		{"log_style", f.logStyle, []string{"bvlc", "2015"}},
	}
	for _, c := range choices {
		ok := false
		for _, a := range c.allowed {
			ok = ok || a == c.value
		}
		if !ok {
			return &gflags.UsageError{Lines: []string{fmt.Sprintf("ERROR: illegal value '%s' specified for flag '%s' (%s)",
				c.value, c.name, strings.Join(c.allowed, ", "))}}
		}
	}
	if f.threads < 0 {
		return &gflags.UsageError{Lines: []string{fmt.Sprintf("ERROR: illegal value '%d' specified for flag 'threads' (0 is one a core)", f.threads)}}
	}
	return nil
}

// bvlc tells whether Caffe's defects are asked for.
func (f *flags) bvlc() bool { return f.compat == "bvlc" }

// phaseOr reads -phase.
func (f *flags) phaseOr(def caffepb.Phase) (caffepb.Phase, error) {
	switch f.phase {
	case "":
		return def, nil
	case "TRAIN":
		return caffepb.Phase_TRAIN, nil
	case "TEST":
		return caffepb.Phase_TEST, nil
	}
	return 0, fatalf("caffe.cpp", 119, `phase must be "TRAIN" or "TEST", not "%s"`, f.phase)
}

// stages are those of -stage. Caffe adds an empty one where the flag is not given, which its log shows and no rule matches.
func (f *flags) stages() []string { return strings.Split(f.stage, ",") }

// state is the state of a net built in the phase.
func (f *flags) state(phase caffepb.Phase) *caffepb.NetState {
	level := f.level
	return &caffepb.NetState{Phase: &phase, Level: &level, Stage: f.stages()}
}

// glogValue is a flag of glog's.
type glogValue struct {
	settings   *glog.Settings
	name, kind string
	text       string
}

func (v *glogValue) String() string { return v.text }
func (v *glogValue) Type() string   { return v.kind }
func (v *glogValue) Set(s string) error {
	v.text = s
	return v.settings.Set(v.name, s)
}

func addGlogFlags(set *pflag.FlagSet, s *glog.Settings) {
	defaults := map[string]string{"alsologtostderr": "true", "logtostderr": "false", "minloglevel": "0", "stderrthreshold": "2", "v": "0"}
	for _, f := range glog.Flags() {
		set.Var(&glogValue{settings: s, name: f.Name, kind: f.Kind, text: defaults[f.Name]}, f.Name, f.Usage)
	}
}

func jsonFlag(a *app, set *pflag.FlagSet) {
	set.BoolVar(&a.flags.json, "json", false, "print JSON to stdout")
}

func trainFlags(a *app, set *pflag.FlagSet) {
	set.StringVar(&a.flags.metrics, "metrics", "", "append a line of JSON for each display to this file: loss, rate, speed, share of time that the net waited for data")
}
