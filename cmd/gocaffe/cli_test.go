package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// golden are files of real Caffe, by their path from any working folder.
var golden = absolute("../../testdata/golden")

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return abs
}

// cliCase is one call of real Caffe or one of its tools.
type cliCase struct {
	Name, Cwd      string
	Argv           []string
	Exit           int
	Stdout, Stderr string
}

func readCases(t *testing.T) []cliCase {
	t.Helper()
	f, err := os.Open(filepath.Join(golden, "cli", "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []cliCase
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var c cliCase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// otherTools are the cases of Caffe's other programs, which this binary is not yet.
var otherTools = map[string]bool{
	"convert_imageset_usage": true, "convert_imageset_ok": true, "convert_imageset_db_exists": true, "convert_imageset_missing_list": true,
	"convert_imageset_missing_image": true, "compute_image_mean_usage": true, "compute_image_mean_ok": true,
	"extract_features_usage": true, "extract_features_ok": true, "upgrade_net_usage": true, "upgrade_net_already": true,
}

// phrases are what must stand in our fatal error where Caffe's whole text is not ours.
var phrases = map[string]string{
	"unknown_layer_type": "Unknown layer type: ReLLU",
	"unknown_action":     "Unknown action: foo",
	"train_gpu_cpu_only": "Cannot use GPU",
}

// randomWeights are the cases whose nets have layers with new weights of a random seed: their scores are not compared.
var randomWeights = map[string]bool{"test_unmatched_layers": true, "time_ok": true, "time_test_phase": true}

// The cases run in their order in the same folders, as they did when they were taken: some read what others wrote.
func TestGoldenCLI(t *testing.T) {
	dirs := map[string]string{}
	for _, c := range readCases(t) {
		if dirs[c.Cwd] == "" {
			dirs[c.Cwd] = t.TempDir()
			copyTree(t, filepath.Join(golden, c.Cwd), dirs[c.Cwd])
			copyTree(t, filepath.Join(golden, "cli"), dirs[c.Cwd])
		}
		t.Run(c.Name, func(t *testing.T) {
			if otherTools[c.Name] {
				t.Skipf("%s is a tool that this binary is not yet", c.Argv[0])
			}
			run := call
			if c.Name == "train_gpu_cpu_only" {
				alone := withoutGPU(t)
				run = func(args ...string) (code int, stdout, stderr string) {
					code, stderr = alone(args[1:]...)
					return code, "", stderr
				}
			}
			t.Chdir(dirs[c.Cwd])
			code, stdout, stderr := run(c.Argv...)
			if code != c.Exit {
				t.Errorf("exit %d, want %d:\n%s", code, c.Exit, last(stderr, 2000))
			}
			compareStdout(t, &c, stdout)
			if strings.HasPrefix(c.Stderr, "ERROR:") {
				if !strings.Contains(stderr, strings.TrimSpace(c.Stderr)) {
					t.Errorf("stderr %q lacks %q", stderr, c.Stderr)
				}
				return
			}
			compareLogs(t, &c, parseLog(stderr), parseLog(c.Stderr))
		})
	}
}

func last(s string, n int) string { return s[max(0, len(s)-n):] }

// copyTree copies files that are read-only in the repository so that a run may write beside them.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// compareStdout wants Caffe's output; of the usage text, which is our own, its frame, Caffe's commands and flags with their kinds and
// defaults.
func compareStdout(t *testing.T, c *cliCase, got string) {
	if !strings.HasPrefix(c.Stdout, "caffe: command line brew") {
		if got != c.Stdout {
			t.Errorf("stdout %q, want %q", got, c.Stdout)
		}
		return
	}
	if !strings.HasPrefix(got, "caffe: command line brew\nusage: caffe <command> <args>\n\ncommands:\n") {
		t.Errorf("the usage begins with %q", got[:min(len(got), 80)])
	}
	flat := strings.Join(strings.Fields(got), " ")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z_]+) {2,}`).FindAllStringSubmatch(c.Stdout, -1) {
		if !strings.Contains(got, "\n  "+m[1]+" ") {
			t.Errorf("the usage lacks the command %s", m[1])
		}
	}
	wanted := regexp.MustCompile(`-(\w+) \([^)]*\)* ?[^-]*type: (\w+) default: (\S+)`).FindAllStringSubmatch(strings.Join(strings.Fields(c.Stdout), " "), -1)
	if len(wanted) < 8 {
		t.Fatalf("only %d flags found in Caffe's usage", len(wanted))
	}
	for _, m := range wanted {
		re := regexp.MustCompile(`-` + m[1] + ` \(.*?\) type: ` + m[2] + ` default: ` + regexp.QuoteMeta(m[3]))
		if !re.MatchString(flat) {
			t.Errorf("the usage lacks -%s of type %s with default %s", m[1], m[2], m[3])
		}
	}
}

// logLine is a message: its severity, the file it names, its text with the unprefixed lines that follow.
type logLine struct {
	severity   byte
	file, text string
}

var (
	prefix = regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ([\w.]+):\d+\] (.*)$`)
	// noise is what libraries print, and lines whose number and place depend on the speed of threads.
	noise = regexp.MustCompile(`^\[libprotobuf|^HDF5-DIAG|^  #\d\d\d:|^    (major|minor):|^, name = '`)
	timed = regexp.MustCompile(`Waiting for data|Restarting data prefetching from start`)
)

// parseLog gives Caffe's lines of a log. Those that are ours alone are left out: those of gocaffe.go, and warnings, of which Caffe has
// none in these cases.
func parseLog(text string) []logLine {
	var lines []logLine
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		m := prefix.FindStringSubmatch(l)
		switch {
		case m != nil:
			lines = append(lines, logLine{m[1][0], m[2], m[3]})
		case noise.MatchString(l) || len(lines) == 0:
		default:
			lines[len(lines)-1].text += "\n" + l
		}
	}
	kept := lines[:0]
	for _, l := range lines {
		if ours := l.file == "gocaffe.go" && l.severity != 'F' || l.severity == 'W'; !ours && !timed.MatchString(l.text) {
			kept = append(kept, l)
		}
	}
	return kept
}

// compareLogs wants Caffe's lines in Caffe's order. Where Caffe fails we may fail before it has printed as much, with its words.
func compareLogs(t *testing.T, c *cliCase, got, want []logLine) {
	if n := len(want); n > 0 && want[n-1].severity == 'F' {
		if len(got) == 0 || got[len(got)-1].severity != 'F' {
			t.Errorf("the log does not end with an F line: %v", got)
			return
		}
		compareFatal(t, c.Name, got[len(got)-1].text, want[n-1].text)
		got, want = got[:len(got)-1], want[:n-1]
		if c.Name == "unknown_action" { // ours has more actions
			got, want = got[:1], want[:1]
		}
		want = want[:min(len(want), len(got))]
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) {
			t.Fatalf("%d lines, want %d; from line %d on:\ngot  %v\nwant %v", len(got), len(want), i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
		if randomWeights[c.Name] {
			got[i].text, want[i].text = scored.ReplaceAllString(got[i].text, "= N"), scored.ReplaceAllString(want[i].text, "= N")
		}
		if err := sameLine(got[i], want[i]); err != nil {
			t.Fatalf("line %d: %v\ngot  %c %s] %s\nwant %c %s] %s", i, err, got[i].severity, got[i].file, got[i].text, want[i].severity, want[i].file, want[i].text)
		}
	}
}

var checkFailed = regexp.MustCompile(`^Check failed: .*? \(.*? vs\. .*?\) |^Check failed: \S+ [^ ]+ \S+ `)

// compareFatal wants the words that Caffe has for the user.
func compareFatal(t *testing.T, name, got, want string) {
	phrase := strings.TrimSuffix(checkFailed.ReplaceAllString(want, ""), ".")
	if p, ok := phrases[name]; ok {
		phrase = p
	}
	if !strings.Contains(got, phrase) {
		t.Errorf("the error %q lacks %q", got, phrase)
	}
}

// times are numbers that differ from run to run.
var times = regexp.MustCompile(`\(\S+ iter/s, \S+s/|time: \S+ ms|ward: \S+ ms|pass: \S+ ms|-Backward: \S+ ms|Total Time: \S+ ms`)

// scored is what a net of random weights makes.
var scored = regexp.MustCompile(`(= |[Ll]oss: )[0-9.]+`)

// sameLine compares words; numbers to 1e-3, since losses drift by rounding.
func sameLine(got, want logLine) error {
	if got.severity != want.severity || got.file != want.file {
		return fmt.Errorf("severity or file differs")
	}
	a, b := strings.Fields(times.ReplaceAllString(got.text, "T")), strings.Fields(times.ReplaceAllString(want.text, "T"))
	if len(a) != len(b) {
		return fmt.Errorf("%d words, want %d", len(a), len(b))
	}
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		x, err1 := strconv.ParseFloat(a[i], 64)
		y, err2 := strconv.ParseFloat(b[i], 64)
		if err1 != nil || err2 != nil || !(math.Abs(x-y) <= 1e-3*math.Max(math.Abs(y), 1e-3)) {
			return fmt.Errorf("word %d is %q, want %q", i, a[i], b[i])
		}
	}
	return nil
}
