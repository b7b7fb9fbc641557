package gflags

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func parser() *Parser {
	set := pflag.NewFlagSet("caffe", pflag.ContinueOnError)
	set.String("solver", "", "")
	set.String("weights", "", "")
	set.Int32("iterations", 50, "")
	set.Int32("level", 0, "")
	set.Bool("shuffle", false, "")
	env := map[string]string{"FLAGS_solver": "from_env", "FLAGS_shuffle": "1"}
	return &Parser{Program: "caffe", Flags: set, LookupEnv: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
}

func TestForms(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "flags")
	text := "# comment\n--solver=f.prototxt\n\nother*\n--level=9\nca?fe\n-shuffle\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, words, flags string }{
		{"train -solver x", "train", "--solver=x"},
		{"-solver x train", "train", "--solver=x"},
		{"--solver=x -weights a,b train", "train", "--solver=x --weights=a,b"},
		{"-solver=x=y train", "train", "--solver=x=y"},
		{"test -level -1", "test", "--level=-1"},
		{"-shuffle train", "train", "--shuffle=true"}, // a boolean takes no next word
		{"-noshuffle --shuffle=Yes -shuffle=0", "", "--shuffle=false --shuffle=true --shuffle=false"},
		{"train -- -solver x", "train -solver x", ""},
		{"- a", "- a", ""},
		{"--fromenv=solver,shuffle train", "train", "--solver=from_env --shuffle=true"},
		{"--tryfromenv=level train", "train", ""},
		{"-foo=1 -bar --undefok=foo,bar train", "train", ""},
		{"--undefok bar -nobar", "", ""},
		{"--flagfile=" + file + " train", "train", "--solver=f.prototxt --shuffle=true"},
	} {
		line, err := parser().Parse(strings.Fields(c.args))
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if !reflect.DeepEqual(line.Words, nilIfEmpty(c.words)) || !reflect.DeepEqual(line.Flags, nilIfEmpty(c.flags)) {
			t.Errorf("%s: words %q flags %q, want %q %q", c.args, line.Words, line.Flags, c.words, c.flags)
		}
	}
}

func nilIfEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Fields(s)
}

func TestErrors(t *testing.T) {
	self := filepath.Join(t.TempDir(), "self")
	if err := os.WriteFile(self, []byte("--flagfile="+self+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"-solvr x", "ERROR: unknown command line flag 'solvr'\n       did you mean -solver?"},
		{"-zzzzzz", "ERROR: unknown command line flag 'zzzzzz'"},
		{"-a -b", "ERROR: unknown command line flag 'a'\nERROR: unknown command line flag 'b'"},
		{"-nosolver", "ERROR: unknown command line flag 'nosolver'\n       did you mean -solver?"},
		{"train -solver", "ERROR: flag '--solver' is missing its argument"},
		{"--shuffle=maybe", "ERROR: illegal value 'maybe' specified for bool flag 'shuffle'"},
		{"--fromenv=level", "ERROR: FLAGS_level not found in environment"},
		{"--flagfile=" + self, "ERROR: flagfile '" + self + "' includes itself"},
		{"--flagfile=/no/such", "ERROR: cannot read flagfile: open /no/such: no such file or directory"},
	} {
		_, err := parser().Parse(strings.Fields(c.args))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.args, err, c.want)
		}
	}
}

func TestHelp(t *testing.T) {
	for args, want := range map[string][2]bool{
		"--help": {true, false}, "train -helpshort": {true, false}, "--version": {false, true}, "--help=false": {false, false},
	} {
		line, err := parser().Parse(strings.Fields(args))
		if err != nil || line.Help != want[0] || line.Version != want[1] {
			t.Errorf("%s: %+v %v", args, line, err)
		}
	}
}
