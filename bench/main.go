// Bench times the example nets with `gocaffe time` and, in turns with it, with
// the programs that a user would take instead: real Caffe, PyTorch, or another
// build of gocaffe. It prints tables of milliseconds, ratios and GFLOP/s and
// writes all figures as JSON.
//
//	go run ./bench -gocaffe bin/gocaffe [-caffe path/to/caffe] [-python python3] [-base other/gocaffe] [-json out.json]
//
// `make bench` and `make bench-compare` call it. Machines are shared and noisy:
// what counts is the ratio of one run, where every contender has its turn in
// each round and its best round counts.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	o, nets := options(), allNets
	if o.nets != "" {
		nets = slices.DeleteFunc(slices.Clone(allNets), func(n net) bool { return !slices.Contains(strings.Split(o.nets, ","), n.Name) })
	}
	if err := run(o, nets); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	gocaffe, caffe, python, base string
	nets, precision, json        string
	rounds, threads              int
	seconds, tolerance           float64
	latency, scaling, layers     bool
	input                        bool
}

func options() settings {
	var o settings
	flag.StringVar(&o.gocaffe, "gocaffe", "bin/gocaffe", "the `binary` to measure")
	flag.StringVar(&o.caffe, "caffe", os.Getenv("CAFFE"), "real Caffe's `binary`, built for the CPU")
	flag.StringVar(&o.python, "python", "", "a Python `interpreter` that has torch")
	flag.StringVar(&o.base, "base", "", "another gocaffe `binary` to compare with; slower than it is a failure")
	flag.Float64Var(&o.tolerance, "tolerance", 0.05, "with -base: the `share` that the geometric mean may be slower; one net may be twice that")
	flag.StringVar(&o.nets, "nets", "", "only these, by `names` separated by ','")
	flag.StringVar(&o.precision, "precision", "fp32", "gocaffe's and PyTorch's numbers: fp32, or bf16 with gocaffe in fp32 beside it")
	flag.StringVar(&o.json, "json", "", "write the figures to this `file`")
	flag.IntVar(&o.rounds, "rounds", 3, "turns of each contender; the best counts")
	flag.IntVar(&o.threads, "threads", runtime.NumCPU(), "threads of gocaffe and PyTorch")
	flag.Float64Var(&o.seconds, "seconds", 2, "about how long gocaffe computes in each turn")
	flag.BoolVar(&o.latency, "latency", true, "also inference of batch 1")
	flag.BoolVar(&o.scaling, "scaling", true, "also gocaffe on one thread")
	flag.BoolVar(&o.input, "input", true, "also the rates of data layers")
	flag.BoolVar(&o.layers, "layers", true, "also each layer's GFLOP/s")
	flag.Parse()
	return o
}

// report is what the JSON file holds.
type report struct {
	Date       string             `json:"date"`
	Processor  string             `json:"processor"`
	Threads    int                `json:"threads"`
	Precision  string             `json:"precision"`
	Versions   map[string]string  `json:"versions"`
	PeakGFLOPS float64            `json:"peak_gflops"` // the fastest of peak.prototxt's convolutions
	Training   []result           `json:"training"`    // forward and backward
	Latency    []result           `json:"latency,omitempty"`
	Input      []inputResult      `json:"input,omitempty"`
	Scaling    map[string]float64 `json:"scaling,omitempty"` // net: time of one thread / (threads · time of all)
}

func run(o settings, nets []net) error {
	contenders, err := contendersOf(o)
	if err != nil {
		return err
	}
	r := report{
		Date: time.Now().UTC().Format(time.DateOnly), Processor: processor(), Threads: o.threads, Precision: o.precision, Versions: versions(contenders),
	}
	if r.PeakGFLOPS, err = peak(o); err != nil {
		return err
	}
	fmt.Printf("%s, %d threads, %s; the fastest convolution of bench/peak.prototxt reaches %.0f GFLOP/s\n", r.Processor, r.Threads, o.precision, r.PeakGFLOPS)
	fmt.Print("\nForward and backward, milliseconds\n\n")
	if r.Training, err = contest(o, nets, contenders, training); err != nil {
		return err
	}
	if err := memory(o, nets, r.Training, contenders); err != nil {
		return err
	}
	if o.latency {
		fmt.Print("\nInference of one picture, milliseconds\n\n")
		if r.Latency, err = contest(o, slices.DeleteFunc(slices.Clone(nets), func(n net) bool { return !n.Latency }), contenders, inference); err != nil {
			return err
		}
	}
	if o.input {
		fmt.Print("\nData layers alone\n\n")
		if r.Input, err = input(o, contenders); err != nil {
			return err
		}
	}
	if o.scaling && o.threads > 1 {
		if r.Scaling, err = scaling(o, nets, r.Training); err != nil {
			return err
		}
	}
	if o.layers {
		for _, res := range r.Training {
			printLayers(res, r.PeakGFLOPS)
		}
	}
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.base != "" {
		return slower(r.Training, o.tolerance)
	}
	return nil
}

// processor is the machine's own name for its processor.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
