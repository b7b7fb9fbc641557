package glog

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Settings are glog's flags. Each can also be given in the environment as GLOG_<flag>.
type Settings struct {
	LogToStderr     bool     // only to stderr, never to files
	AlsoLogToStderr bool     // everything to stderr, files or not
	StderrThreshold Severity // what goes to stderr where neither of the above is set
	MinLogLevel     int      // lines below are dropped
	LogDir          string   // folder of the log files; "" writes none
	V               int      // accepted; no line depends on it
}

// Default is what Caffe's tools start from: everything on stderr.
func Default() Settings { return Settings{AlsoLogToStderr: true, StderrThreshold: Error} }

func (s *Settings) onStderr(sev Severity) bool {
	return s.LogToStderr || s.AlsoLogToStderr || sev >= s.StderrThreshold
}

func (s *Settings) toFiles() bool { return s.LogDir != "" && !s.LogToStderr }

// Flag is one of glog's flags: its name, its kind ("bool", "int32", "string", as gflags prints them), what it does.
type Flag struct{ Name, Kind, Usage string }

// Flags lists the flags that Set knows, in order of their names.
func Flags() []Flag {
	return []Flag{
		{"alsologtostderr", "bool", "log to stderr and, with -log_dir, to files too"},
		{"log_dir", "string", "also write log files into this folder, one a severity, as glog names them"},
		{"logtostderr", "bool", "log to stderr only, never to files"},
		{"minloglevel", "int32", "drop lines below this level: 0 INFO, 1 WARNING, 2 ERROR, 3 FATAL"},
		{"stderrthreshold", "int32", "with -alsologtostderr=false, lines from this level on still go to stderr"},
		{"v", "int32", "accepted as glog does; no line depends on it"},
	}
}

// Set sets the flag of this name.
func (s *Settings) Set(name, value string) error {
	switch name {
	case "logtostderr":
		return setBool(&s.LogToStderr, name, value)
	case "alsologtostderr":
		return setBool(&s.AlsoLogToStderr, name, value)
	case "log_dir":
		s.LogDir = value
		return nil
	case "minloglevel":
		return setLevel(&s.MinLogLevel, name, value)
	case "v":
		return setLevel(&s.V, name, value)
	case "stderrthreshold":
		level := 0
		if err := setLevel(&level, name, value); err != nil {
			return err
		}
		s.StderrThreshold = Severity(min(max(level, 0), int(Fatal)))
		return nil
	}
	return fmt.Errorf("glog has no flag %q", name)
}

// FromEnv sets what GLOG_<flag> variables say; lookup is os.LookupEnv.
func (s *Settings) FromEnv(lookup func(string) (string, bool)) error {
	for _, f := range Flags() {
		if v, ok := lookup("GLOG_" + f.Name); ok {
			if err := s.Set(f.Name, v); err != nil {
				return fmt.Errorf("environment variable GLOG_%s: %w", f.Name, err)
			}
		}
	}
	return nil
}

// truths are gflags' words for true and false; glog also takes any of them in the environment.
var truths = map[string]bool{
	"1": true, "t": true, "true": true, "y": true, "yes": true,
	"0": false, "f": false, "false": false, "n": false, "no": false,
}

// ParseBool reads a boolean as gflags does: 1/0, t/f, true/false, y/n, yes/no in any case.
func ParseBool(value string) (bool, error) {
	b, ok := truths[strings.ToLower(value)]
	if !ok {
		words := make([]string, 0, len(truths))
		for w := range truths {
			words = append(words, w)
		}
		sort.Strings(words)
		return false, fmt.Errorf("%q is not a boolean (%s)", value, strings.Join(words, ", "))
	}
	return b, nil
}

func setBool(dst *bool, name, value string) error {
	b, err := ParseBool(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*dst = b
	return nil
}

// setLevel reads a number, or the name of a severity.
func setLevel(dst *int, name, value string) error {
	for s := Info; s <= Fatal; s++ {
		if strings.EqualFold(value, s.String()) {
			*dst = int(s)
			return nil
		}
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return fmt.Errorf("%s: %q is not a number", name, value)
	}
	*dst = n
	return nil
}
