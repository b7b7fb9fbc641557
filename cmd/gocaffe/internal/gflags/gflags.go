// Package gflags reads a command line as gflags does, for flags kept in a pflag.FlagSet: -name value, -name=value, --name value,
// --name=value, --noname, before or after the words that are no flags, and the flags that name more flags (--flagfile, --fromenv,
// --tryfromenv, --undefok).
package gflags

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/proto"
)

// Parser reads command lines of one program.
type Parser struct {
	Program string         // for sections of flag files
	Flags   *pflag.FlagSet // all flags that any command knows
	// LookupEnv is os.LookupEnv.
	LookupEnv func(string) (string, bool)
}

// Line is a command line taken apart.
type Line struct {
	Words         []string // what is no flag, in order
	Flags         []string // what is, each as --name=value, which pflag reads
	Help, Version bool     // --help or one of its forms, --version
}

// UsageError is what is wrong with a command line: everything at once, one line an error. The program exits with 1.
type UsageError struct{ Lines []string }

func (e *UsageError) Error() string { return strings.Join(e.Lines, "\n") }

// Unknown is the error about flags that do not exist.
func Unknown(known *pflag.FlagSet, names ...string) *UsageError {
	e := &UsageError{}
	for _, name := range names {
		e.Lines = append(e.Lines, fmt.Sprintf("ERROR: unknown command line flag '%s'", name))
		if n := proto.Nearest(name, flagNames(known)); n != "" {
			e.Lines = append(e.Lines, fmt.Sprintf("       did you mean -%s?", n))
		}
	}
	return e
}

// Illegal is the error about a value that a flag cannot take.
func Illegal(f *pflag.Flag, value string) *UsageError {
	return &UsageError{Lines: []string{fmt.Sprintf("ERROR: illegal value '%s' specified for %s flag '%s'", value, f.Value.Type(), f.Name)}}
}

// Parse takes args, without the program's name, apart.
func (p *Parser) Parse(args []string) (*Line, error) {
	r := &reader{Parser: p, line: &Line{}, tolerated: map[string]bool{}, active: map[string]bool{}}
	r.args(args)
	var unknown []string
	for _, name := range r.unknown {
		if !r.tolerated[name] && !r.tolerated[strings.TrimPrefix(name, "no")] {
			unknown = append(unknown, name)
		}
	}
	lines := append(Unknown(p.Flags, unknown...).Lines, r.errs...)
	if len(lines) > 0 {
		return nil, &UsageError{Lines: lines}
	}
	return r.line, nil
}

type reader struct {
	*Parser
	line      *Line
	unknown   []string
	tolerated map[string]bool // --undefok, wherever it stands
	errs      []string
	active    map[string]bool // flag files being read, against files that name themselves
}

func (r *reader) failf(format string, args ...any) {
	r.errs = append(r.errs, "ERROR: "+fmt.Sprintf(format, args...))
}

func (r *reader) args(args []string) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			r.line.Words = append(r.line.Words, args...)
			return
		}
		if len(arg) < 2 || arg[0] != '-' {
			r.line.Words = append(r.line.Words, arg)
			continue
		}
		name, value, has := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		args = r.flag(name, value, has, args)
	}
}

// flag enters one flag and gives the arguments that it left.
func (r *reader) flag(name, value string, has bool, rest []string) []string {
	take := func() (string, bool) {
		if has {
			return value, true
		}
		if len(rest) == 0 {
			r.failf("flag '--%s' is missing its argument", name)
			return "", false
		}
		v := rest[0]
		rest = rest[1:]
		return v, true
	}
	switch name {
	case "help", "helpshort", "helpfull":
		r.line.Help = r.boolean(name, value, has)
	case "version":
		r.line.Version = r.boolean(name, value, has)
	case "flagfile", "fromenv", "tryfromenv", "undefok":
		if v, ok := take(); ok {
			r.special(name, strings.Split(v, ","))
		}
	default:
		f, negated := r.lookup(name)
		switch {
		case f == nil:
			r.unknown = append(r.unknown, name)
		case f.Value.Type() == "bool":
			r.setBool(f, negated, value, has)
		default:
			if v, ok := take(); ok {
				r.set(f, v)
			}
		}
	}
	return rest
}

// lookup finds a flag, or the boolean flag of which name is the negation.
func (r *reader) lookup(name string) (f *pflag.Flag, negated bool) {
	if f = r.Flags.Lookup(name); f != nil {
		return f, false
	}
	if f = r.Flags.Lookup(strings.TrimPrefix(name, "no")); f != nil && f.Value.Type() == "bool" {
		return f, true
	}
	return nil, false
}

func (r *reader) set(f *pflag.Flag, value string) {
	r.line.Flags = append(r.line.Flags, "--"+f.Name+"="+value)
}

func (r *reader) setBool(f *pflag.Flag, negated bool, value string, has bool) {
	if negated && has {
		r.failf("boolean value (%s) specified for --no%s", value, f.Name)
		return
	}
	v := !negated
	if has {
		b, err := glog.ParseBool(value)
		if err != nil {
			r.errs = append(r.errs, Illegal(f, value).Lines...)
			return
		}
		v = b
	}
	r.set(f, fmt.Sprint(v))
}

func (r *reader) boolean(name, value string, has bool) bool {
	if !has {
		return true
	}
	b, err := glog.ParseBool(value)
	if err != nil {
		r.failf("illegal value '%s' specified for bool flag '%s'", value, name)
	}
	return b
}

func (r *reader) special(name string, list []string) {
	for _, item := range list {
		switch name {
		case "undefok":
			r.tolerated[item] = true
		case "flagfile":
			r.file(item)
		default:
			value, ok := r.LookupEnv("FLAGS_" + item)
			if ok {
				r.flag(item, value, true, nil)
			} else if name == "fromenv" {
				r.failf("FLAGS_%s not found in environment", item)
			}
		}
	}
}

// file reads a flag file: one flag a line, # before comments; a line of program names begins flags for those programs only.
func (r *reader) file(path string) {
	if r.active[path] {
		r.failf("flagfile '%s' includes itself", path)
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		r.failf("cannot read flagfile: %v", err)
		return
	}
	r.active[path] = true
	defer delete(r.active, path)
	ours, inNames := true, false
	for _, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] != '-':
			ours = (inNames && ours) || matchesProgram(line, r.Program)
			inNames = true
		default:
			inNames = false
			if ours {
				name, value, has := strings.Cut(strings.TrimLeft(line, "-"), "=")
				r.flag(name, value, has, nil)
			}
		}
	}
}
