package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// contender is a program that can time a net.
type contender struct {
	name    string
	binary  string // a program with Caffe's command line, "" where it is something else
	version func() string
	// slowness is about how many times longer it takes than gocaffe, so that
	// its turn is not much longer.
	slowness int
	time     func(m mode, model string, iterations int) (timing, error)
}

// timing is one turn.
type timing struct {
	Milliseconds float64     `json:"ms"`
	Layers       []layerTime `json:"layers,omitempty"`
	Peak         int64       `json:"-"` // resident memory in bytes
}

// layerTime is a row of `gocaffe time -json`.
type layerTime struct {
	Name         string  `json:"name"`
	Type         string  `json:"type"`
	Forward      float64 `json:"forward_ms"`
	Backward     float64 `json:"backward_ms"`
	ForwardWork  int64   `json:"forward_multiply_adds"`
	BackwardWork int64   `json:"backward_multiply_adds"`
}

// contendersOf lists who takes part: gocaffe first, then itself in fp32 where it is measured
// in another precision.
func contendersOf(o settings) ([]contender, error) {
	list := []contender{ours("gocaffe", o.gocaffe, o.precision, o.threads)}
	if o.precision != "fp32" {
		list = append(list, ours("fp32", o.gocaffe, "fp32", o.threads))
	}
	if o.base != "" {
		list = append(list, ours("base", o.base, o.precision, o.threads))
	}
	if o.caffe != "" {
		list = append(list, realCaffe(o.caffe))
	}
	if o.python != "" {
		list = append(list, torch(o.python, o.precision, o.threads))
	}
	for _, c := range list {
		if c.version() == "" {
			return nil, fmt.Errorf("%s does not run: give another path, or leave it out", c.name)
		}
	}
	return list, nil
}

func ours(name, binary, precision string, threads int) contender {
	version := func() string { return firstLine(exec.Command(binary, "-version")) }
	return contender{name, binary, version, 1, func(m mode, model string, iterations int) (timing, error) {
		args := []string{"time", "-model", model, "-stage", "dummy", "-phase", m.phase, "-json",
			"-iterations", strconv.Itoa(iterations), "-threads", strconv.Itoa(threads)}
		if precision != "fp32" {
			args = append(args, "-precision", precision)
		}
		cmd := exec.Command(binary, args...)
		out, err := output(cmd)
		if err != nil {
			return timing{}, err
		}
		var t struct {
			Layers          []layerTime `json:"layers"`
			Forward         float64     `json:"forward_ms"`
			ForwardBackward float64     `json:"forward_backward_ms"`
		}
		if err := json.Unmarshal(out, &t); err != nil {
			return timing{}, fmt.Errorf("%s time -json: %w", binary, err)
		}
		if m.phase == "TEST" {
			return timing{t.Forward, t.Layers, peakMemory(cmd)}, nil
		}
		return timing{t.ForwardBackward, t.Layers, peakMemory(cmd)}, nil
	}}
}

var caffeTimes = regexp.MustCompile(`Average (Forward pass|Forward-Backward): ([0-9.e+]+) ms`)

func realCaffe(binary string) contender {
	version := func() string { return strings.TrimPrefix(firstLine(exec.Command(binary, "-version")), "caffe.bin ") }
	return contender{"Caffe", binary, version, 3, func(m mode, model string, iterations int) (timing, error) {
		cmd := exec.Command(binary, "time", "-model", model, "-stage", "dummy", "-phase", m.phase, "-iterations", strconv.Itoa(iterations))
		var log bytes.Buffer
		cmd.Stderr = &log
		if err := cmd.Run(); err != nil {
			return timing{}, fmt.Errorf("%s: %w: %s", binary, err, lastLine(log.String()))
		}
		what := "Forward-Backward"
		if m.phase == "TEST" {
			what = "Forward pass"
		}
		ms, err := average(log.String(), what)
		return timing{Milliseconds: ms, Peak: peakMemory(cmd)}, err
	}}
}

// average finds one of the averages that `time` logs, in milliseconds.
func average(log, what string) (float64, error) {
	for _, found := range caffeTimes.FindAllStringSubmatch(log, -1) {
		if found[1] == what {
			return strconv.ParseFloat(found[2], 64)
		}
	}
	return 0, fmt.Errorf("no average of %s in the log: %s", what, lastLine(log))
}

func torch(python, precision string, threads int) contender {
	version := func() string {
		return firstLine(exec.Command(python, "-c", "import torch; print(torch.__version__)"))
	}
	return contender{"PyTorch", "", version, 3, func(m mode, model string, iterations int) (timing, error) {
		cmd := exec.Command(python, "bench/torch_time.py", model, "--phase", m.phase, "--precision", precision,
			"--iterations", strconv.Itoa(iterations), "--threads", strconv.Itoa(threads))
		out, err := output(cmd)
		if err != nil {
			return timing{}, err
		}
		var t struct {
			NCHW         float64 `json:"nchw_ms"`
			ChannelsLast float64 `json:"channels_last_ms"`
		}
		err = json.Unmarshal(out, &t)
		return timing{Milliseconds: min(t.NCHW, t.ChannelsLast), Peak: peakMemory(cmd)}, err
	}}
}

func versions(contenders []contender) map[string]string {
	v := map[string]string{}
	for _, c := range contenders {
		v[c.name] = c.version()
	}
	return v
}

// output is the standard output; an error holds the last line of the other.
func output(cmd *exec.Cmd) ([]byte, error) {
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, lastLine(log.String()))
	}
	return out, nil
}

func firstLine(cmd *exec.Cmd) string {
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
