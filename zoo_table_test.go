package gocaffe

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/sharedtest"
)

// outsider is what a state without data ends in: a net that is built in another
// phase is not meant for this one. Caffe says the same.
const outsider = "Unknown bottom blob"

// failures are the errors that count against a file: all of a solver's, and those
// of the states in which a net should build.
func (f *zooFile) failures() []zooState {
	if f.err != nil {
		return []zooState{{err: f.err}}
	}
	var failed, outside []zooState
	for _, s := range f.states {
		switch {
		case s.err != nil && strings.Contains(s.err.Error(), outsider):
			outside = append(outside, s)
		case s.err != nil:
			failed = append(failed, s)
		}
	}
	if len(failed) == 0 && len(outside) == len(f.states) {
		return outside
	}
	return failed
}

// place begins every line of an error: file, line where there is one, and perhaps
// column.
var place = regexp.MustCompile(`^(.*?)(:\d+)?(:\d+)?: `)

// checkErrors: each line of each error begins with the file, and the line unless
// the file is binary.
func (z *zooFiles) checkErrors(t *testing.T, f *zooFile) {
	t.Helper()
	path := filepath.Join(z.dir, filepath.FromSlash(f.path))
	errs := []zooState{{err: f.err}}
	for _, s := range append(errs, f.states...) {
		if s.err == nil {
			continue
		}
		for line := range strings.Lines(s.err.Error()) {
			if strings.HasPrefix(line, "Failed to parse ") || strings.HasSuffix(line, " more\n") {
				continue
			}
			at := place.FindStringSubmatch(line)
			if at == nil || at[1] != path || at[2] == "" && !isBinary(f.text) {
				t.Errorf("%s: an error does not begin with file and line: %s", f.path, line)
			}
		}
	}
}

// repository is "owner/name", with the version where the folder has one.
func (f *zooFile) repository() (repo, rest string) {
	parts := strings.SplitN(f.path, "/", 3)
	return parts[0] + "/" + parts[1], parts[2]
}

// comparedNets are the files whose shapes are compared with what Caffe builds.
func comparedNets(t *testing.T, root string) map[string]bool {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "shapes.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for d := json.NewDecoder(zr); d.More(); {
		var c struct{ File string }
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		names[c.File] = true
	}
	index, err := os.ReadFile(filepath.Join(root, "index.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(index)) {
		if cols := strings.Split(line, "\t"); names[strings.TrimPrefix(cols[1], "dup of ")] {
			names[cols[0]] = true
		}
	}
	return names
}

// reason is why something is refused: what, and whose it is.
type reason struct{ what, whose string }

var reasons = []struct {
	line *regexp.Regexp
	what string
}{
	{regexp.MustCompile(`Message type "caffe\.(\w+)" has no field named "(\w+)"`), "`$1.$2`"},
	{regexp.MustCompile(`Unknown enumeration value of "(\w+)" for field "(\w+)"`), "`$2: $1`"},
	{regexp.MustCompile(`Unknown layer type: (\w+)`), "layer type `$1`"},
	{regexp.MustCompile(`Python layers are not supported: class "(\w+)" of module "([\w.]+)"`), "layer type `Python` (`$2.$1`)"},
	{regexp.MustCompile(`layer "[^"]*" \((\w+)\): (?:layer "[^"]*": )?(.*)`), "`$1`: $2"},
	{regexp.MustCompile(`^[^ ]*: (.*)`), "$1"},
}

// alike are refused files of which real Caffe was asked too, and what it said.
var alike = map[string]string{
	"BVLC/caffe@v0.9999/examples/cifar10/cifar10_full.prototxt":                   "BVLC Caffe does not parse it either",
	"cwlacewe/netscope/presets/1D_lstm.prototxt":                                  "BVLC Caffe aborts",
	"cwlacewe/netscope/presets/googlenet.prototxt":                                "BVLC Caffe: Failed to open leveldb",
	"lltcggie/waifu2x-caffe/bin/models/anime_style_art/noise1_model.prototxt":     "BVLC Caffe: (16384 vs. 20164), in TRAIN only too",
	"lltcggie/waifu2x-caffe/bin/models/anime_style_art_rgb/noise0_model.prototxt": "BVLC Caffe: (49152 vs. 20164), in TRAIN only too",
}

var repeated = regexp.MustCompile(` Also in lines? [^.]*\.$`)

var owners = regexp.MustCompile(` It belongs to (.*) and is not supported: `)

func reasonOf(line string) reason {
	line = repeated.ReplaceAllString(line, "")
	for _, r := range reasons {
		if m := r.line.FindStringSubmatchIndex(line); m != nil {
			whose := ""
			if o := owners.FindStringSubmatch(line); o != nil {
				whose = o[1]
			}
			return reason{string(r.line.ExpandString(nil, r.what, line, m)), whose}
		}
	}
	return reason{what: line}
}

// reasonsOf gives the line of the first error and all reasons, each once.
func (f *zooFile) reasonsOf() (line string, all []reason) {
	for _, s := range f.failures() {
		for text := range strings.Lines(s.err.Error()) {
			text = strings.TrimSpace(text)
			if strings.HasPrefix(text, "Failed to parse ") {
				continue
			}
			if at := place.FindStringSubmatch(text); at != nil && line == "" {
				line = at[2]
			}
			if r := reasonOf(text); !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return line, all
}

// tally counts files of a repository.
type tally struct{ nets, compared, builds, refused, solvers, solversRefused int }

func (s *tally) add(o tally) {
	s.nets += o.nets
	s.compared += o.compared
	s.builds += o.builds
	s.refused += o.refused
	s.solvers += o.solvers
	s.solversRefused += o.solversRefused
}

func (s tally) row(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d |\n", name, s.nets, s.compared, s.builds, s.refused, s.solvers, s.solversRefused)
}

func tallyOf(f *zooFile, compared bool) (s tally) {
	failed := len(f.failures()) > 0
	switch {
	case f.kind == zooSolver && failed:
		s.solversRefused = 1
		fallthrough
	case f.kind == zooSolver:
		s.solvers = 1
	case f.kind == zooNet:
		s.nets = 1
		switch {
		case failed:
			s.refused = 1
		default:
			s.builds = 1
		}
		if compared {
			s.compared = 1
		}
	}
	return s
}

const zooIntro = `# Published nets

What gocaffe makes of the prototxts that people published in the Caffe years. This page is written by ` + "`go test . -run TestZooTable -update`" + `, and
the test fails where the page is not what it finds. The prototxts themselves are not part of this repository.

A net counts as built if all its layers are lowered in each phase in which it has its data, and with the stages of the solvers beside it. Data layers
have pictures of a size that fits, since their data is not here. A net counts as refused if it ends in an error: nothing else happens, and every line
of the error names file and line. "As Caffe" are nets of which a phase is compared with what BVLC Caffe builds: layers, inserted splits,
shapes of blobs and parameters, outputs.

`

// zooPage is docs/zoo.md.
func zooPage(files []*zooFile, compared map[string]bool) []byte {
	var b bytes.Buffer
	b.WriteString(zooIntro)
	b.WriteString("| repository | nets | as Caffe | built | refused | solvers | refused |\n|---|---|---|---|---|---|---|\n")
	var repos []string
	counts, sum := map[string]tally{}, tally{}
	for _, f := range files {
		repo, _ := f.repository()
		if !slices.Contains(repos, repo) {
			repos = append(repos, repo)
		}
		c, one := counts[repo], tallyOf(f, compared[f.path])
		c.add(one)
		counts[repo] = c
		sum.add(one)
	}
	for _, repo := range repos {
		b.WriteString(counts[repo].row(repo))
	}
	b.WriteString(sum.row("all"))
	writeMissing(&b, files)
	writeRefused(&b, files)
	return b.Bytes()
}

// writeMissing lists what is refused by the number of files that have it.
func writeMissing(b *bytes.Buffer, files []*zooFile) {
	count := map[reason]int{}
	for _, f := range files {
		_, all := f.reasonsOf()
		for _, r := range all {
			if r.whose != "" || strings.HasPrefix(r.what, "layer type ") {
				count[r]++
			}
		}
	}
	list := make([]reason, 0, len(count))
	for r := range count {
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y reason) int {
		if d := count[y] - count[x]; d != 0 {
			return d
		}
		return strings.Compare(x.what, y.what)
	})
	b.WriteString("\n## What forks have and gocaffe has not\n\n| what | whose | files |\n|---|---|---|\n")
	for _, r := range list {
		fmt.Fprintf(b, "| %s | %s | %d |\n", r.what, r.whose, count[r])
	}
}

// writeRefused lists every file that is refused, by repository.
func writeRefused(b *bytes.Buffer, files []*zooFile) {
	b.WriteString("\n## What is refused, and why\n\nThe number is that of the line of the first error.\n")
	last := ""
	for _, f := range files {
		line, all := f.reasonsOf()
		if len(all) == 0 {
			continue
		}
		repo, rest := f.repository()
		if repo != last {
			fmt.Fprintf(b, "\n### %s\n\n| file | why |\n|---|---|\n", repo)
			last = repo
		}
		whats, note := make([]string, len(all)), ""
		for i, r := range all {
			whats[i] = r.what
		}
		if said, asked := alike[f.path]; asked {
			note = " (" + said + ")"
		}
		fmt.Fprintf(b, "| %s%s | %s%s |\n", rest, line, strings.Join(whats, ", "), note)
	}
}

// TestZooKinds: what the fields say of a file is what its index says.
func TestZooKinds(t *testing.T) {
	root := sharedtest.Dir(t, "zoo")
	index, err := os.ReadFile(filepath.Join(root, "index.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]zooKind{"net": zooNet, "solver": zooSolver, "other:item": zooOther, "unparsable": zooNet}
	checked := 0
	for line := range strings.Lines(string(index)) {
		cols := strings.Split(line, "\t")
		kind, ok := want[cols[1]]
		if !ok {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, "prototxt", filepath.FromSlash(cols[0])))
		if err != nil {
			t.Fatal(err)
		}
		if got := kindOf(text); got != kind {
			t.Errorf("%s is a %s, not kind %s", cols[0], cols[1], strconv.Itoa(int(got)))
		}
		checked++
	}
	if checked < 600 {
		t.Errorf("only %d files in the index", checked)
	}
}
