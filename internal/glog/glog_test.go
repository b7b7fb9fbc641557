package glog

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func fixed(w *bytes.Buffer, s Settings) *Logger {
	l := New("caffe", w, s)
	l.now = func() time.Time { return time.Date(2026, 11, 23, 8, 0, 2, 880641999, time.UTC) }
	l.pid = 844
	return l
}

func TestPrefix(t *testing.T) {
	var out bytes.Buffer
	l := fixed(&out, Default())
	l.Infof("caffe.cpp", 197, "Use %s.", "CPU")
	l.Warningf("net.cpp", 1, "w")
	l.Errorf("caffe.cpp", 81, "\ttrain")
	l.Infof("solver.cpp", 45, "Initializing solver from parameters: \n%s", "base_lr: 0.1\nmax_iter: 4\n")
	l.Log(Fatal, "caffe.cpp", 83, "Unknown action: foo")
	want := "I1123 08:00:02.880641   844 caffe.cpp:197] Use CPU.\n" +
		"W1123 08:00:02.880641   844 net.cpp:1] w\n" +
		"E1123 08:00:02.880641   844 caffe.cpp:81] \ttrain\n" +
		"I1123 08:00:02.880641   844 solver.cpp:45] Initializing solver from parameters: \nbase_lr: 0.1\nmax_iter: 4\n" +
		"F1123 08:00:02.880641   844 caffe.cpp:83] Unknown action: foo\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// The patterns that Caffe's parse_log.py, parse_log.sh and other people's tools match lines with.
func TestParsersRead(t *testing.T) {
	var out bytes.Buffer
	l := fixed(&out, Default())
	l.Infof("solver.cpp", 239, "Iteration %d (%s iter/s, %ss/%d iters), loss = %s", 200, G(12.345678), G(float32(8.1)), 100, G(float32(5.412394e-5)))
	l.Infof("solver.cpp", 258, "    Train net output #%d: %s = %s (* %s = %s loss)", 0, "loss", G(float32(1e6)), G(float32(1)), G(float32(1e6)))
	l.Infof("sgd_solver.cpp", 112, "Iteration %d, lr = %s", 200, G(float32(1e-5)))
	l.Infof("solver.cpp", 414, "    Test net output #%d: %s = %s", 0, "accuracy", G(float32(0.9906)))
	l.Infof("solver.cpp", 239, "Iteration %d, loss = %s", 300, G(float32(0.25)))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	cases := []struct {
		line, group int
		re, want    string
	}{
		{0, 1, `Iteration (\d+)`, "200"},
		{1, 3, `Train net output #(\d+): (\S+) = ([\.\deE+-]+)`, "1e+06"},
		{2, 1, `lr = ([-+]?[0-9]*\.?[0-9]+([eE]?[-+]?[0-9]+)?)`, "1e-05"},
		{3, 3, `Test net output #(\d+): (\S+) = ([\.\deE+-]+)`, "0.9906"},
		{4, 3, `^I\d+ ([0-9:\.]+).*Iteration (\d+), loss = ([0-9\.]+)$`, "0.25"},
		{4, 5, `I(\d{2})(\d{2}) (\d+):(\d+):(\d+)\.(\d{3})`, "02"},
		{4, 2, `(\w)(\d{4} \S{8}).*]\s+(\S.*)$`, "1123 08:00:02"},
	}
	for _, c := range cases {
		m := regexp.MustCompile(c.re).FindStringSubmatch(lines[c.line])
		if m == nil || m[c.group] != c.want {
			t.Errorf("%s on %q: %q, want group %d = %q", c.re, lines[c.line], m, c.group, c.want)
		}
	}
	// parse_log.sh addresses fields by number: awk's $11 and $9.
	if f := strings.Fields(lines[3]); len(f) < 11 || f[10] != "0.9906" {
		t.Errorf("field 11 of %q is not the score", lines[3])
	}
	if f := strings.Fields(lines[2]); len(f) < 9 || f[8] != "1e-05" {
		t.Errorf("field 9 of %q is not the rate", lines[2])
	}
	// extract_seconds.py: month and day from field 0, microseconds after the last point.
	f := strings.Fields(lines[0])
	month, _ := strconv.Atoi(f[0][1:3])
	day, _ := strconv.Atoi(f[0][3:])
	micros := f[1][strings.LastIndex(f[1], ".")+1:]
	if month != 11 || day != 23 || micros != "880641" {
		t.Errorf("time of %q: month %d day %d micros %s", lines[0], month, day, micros)
	}
}

func TestG(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{
		{0, "0"}, {1, "1"}, {100000, "100000"}, {1e6, "1e+06"}, {999999.5, "1e+06"}, {123456.7, "123457"}, {5.412391e-5, "5.41239e-05"},
		{0.0001, "0.0001"}, {0.1, "0.1"}, {-2.5, "-2.5"}, {math.Copysign(0, -1), "-0"}, {1e100, "1e+100"}, {5, "5"}, {50, "50"}, {10, "10"},
		{math.NaN(), "nan"}, {math.Copysign(math.NaN(), -1), "nan"}, {math.Inf(1), "inf"}, {math.Inf(-1), "-inf"}, {0.00001, "1e-05"},
	} {
		if got := G(c.x); got != c.want {
			t.Errorf("G(%v) = %s, want %s", c.x, got, c.want)
		}
	}
	if got := G(float32(0.1)); got != "0.1" {
		t.Errorf("G(float32 0.1) = %s", got)
	}
}

func TestLevels(t *testing.T) {
	log := func(s Settings) string {
		var out bytes.Buffer
		l := fixed(&out, s)
		l.Infof("a", 1, "info")
		l.Warningf("a", 2, "warning")
		l.Errorf("a", 3, "error")
		l.Log(Fatal, "a", 4, "fatal")
		var seen string
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			seen += line[:1]
		}
		return seen
	}
	set := func(pairs ...string) Settings {
		s := Default()
		for i := 0; i < len(pairs); i += 2 {
			if err := s.Set(pairs[i], pairs[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	for _, c := range []struct {
		s    Settings
		want string
	}{
		{set(), "IWEF"},
		{set("minloglevel", "2"), "EF"},
		{set("minloglevel", "9"), "F"},
		{set("alsologtostderr", "no"), "EF"},
		{set("alsologtostderr", "0", "stderrthreshold", "1"), "WEF"},
		{set("alsologtostderr", "0", "logtostderr", "TRUE"), "IWEF"},
	} {
		if got := log(c.s); got != c.want {
			t.Errorf("%+v: %s, want %s", c.s, got, c.want)
		}
	}
}

func TestFromEnv(t *testing.T) {
	env := map[string]string{"GLOG_minloglevel": "2", "GLOG_log_dir": "/x", "GLOG_v": "3", "GLOG_stderrthreshold": "WARNING"}
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	s := Default()
	if err := s.FromEnv(lookup); err != nil {
		t.Fatal(err)
	}
	if s.MinLogLevel != 2 || s.LogDir != "/x" || s.V != 3 || s.StderrThreshold != Warning {
		t.Errorf("%+v", s)
	}
	env["GLOG_logtostderr"] = "maybe"
	if err := s.FromEnv(lookup); err == nil || !strings.Contains(err.Error(), "GLOG_logtostderr") {
		t.Errorf("a bad boolean: %v", err)
	}
}

func TestLogFiles(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	s := Default()
	s.LogDir = dir
	l := fixed(&out, s)
	l.Infof("a.cpp", 1, "first")
	l.Errorf("a.cpp", 2, "second")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for sev, want := range map[string]int{"INFO": 2, "WARNING": 1, "ERROR": 1} {
		b, err := os.ReadFile(filepath.Join(dir, "caffe."+sev)) // through the link
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "a.cpp:"); n != want {
			t.Errorf("%s holds %d lines, want %d:\n%s", sev, n, want, b)
		}
	}
	names, _ := filepath.Glob(filepath.Join(dir, "caffe.*.log.INFO.20261123-080002.844"))
	if len(names) != 1 {
		t.Errorf("no INFO file by glog's name in %s", dir)
	}
	s.LogDir = filepath.Join(dir, "missing")
	l = fixed(&out, s)
	out.Reset()
	l.Infof("a.cpp", 1, "one")
	l.Infof("a.cpp", 1, "two")
	if got := strings.Count(out.String(), "log files are not written"); got != 1 {
		t.Errorf("said %d times that files are not written:\n%s", got, out.String())
	}
}

// On a terminal the log lines stay whole: the progress line is erased before each and drawn after it.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	l := fixed(&out, Default())
	l.Progress(Progress{Iteration: 1, MaxIter: 2})
	if out.Len() != 0 {
		t.Fatalf("a progress line without a terminal: %q", out.String())
	}
	l.bar = bar{w: &out, on: true, width: func() int { return 30 }}
	l.Progress(Progress{Iteration: 10, MaxIter: 110, Rate: 50, Loss: 0.5})
	l.Infof("a.cpp", 1, "line")
	l.Close()
	bar := "Iteration 10/110  50 it/s  los"[:29]
	want := bar + "\r\x1b[KI1123 08:00:02.880641   844 a.cpp:1] line\n" + bar + "\r\x1b[K"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
	full := fmt.Sprint(Progress{Iteration: 10, MaxIter: 110, Rate: 50, Loss: 0.5})
	if full != "Iteration 10/110  50 it/s  loss 0.5  2s left" {
		t.Error(full)
	}
}
