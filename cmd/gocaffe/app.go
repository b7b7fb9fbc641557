package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gocaffe/gocaffe/cmd/gocaffe/internal/gflags"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/proto"
)

// version is this program's; the linker sets it for releases.
var version = "0.1.0"

// caffeVersion is the Caffe whose behaviour this is.
const caffeVersion = "1.0.0"

// Exit codes. What Caffe's fatal errors leave behind is what a shell shows after abort(3), which scripts test for.
const (
	exitOK         = 0
	exitUsage      = 1   // a flag that does not exist or a value that it cannot take; --help
	exitFatal      = 134 // any other error: the log ends with an F line
	exitTerminated = 143 // stopped by SIGTERM, with a snapshot written
)

// command is one of the program's commands.
type command struct {
	name, brief string
	flags       func(a *app, set *pflag.FlagSet) // its own flags besides those of all commands; may be nil
	run         func(a *app) error
}

// commands are all commands in the order of the usage text.
func commands() []command {
	return []command{
		{"train", "train or fine-tune a net", trainFlags, train},
		{"test", "score a net", nil, test},
		{"device_query", "show engines, libraries and GPUs", nil, deviceQuery},
		{"time", "measure how long each layer takes", jsonFlag, timeNet},
		{"summary", "list layers, shapes, parameters and costs of a net", jsonFlag, summary},
		{"forward", "run arrays through a net", forwardFlags, forward},
		{"explain", "print what a net becomes: -stage spec, graph or plan", nil, explain},
	}
}

// app is one call of the program.
type app struct {
	program        string
	stdout, stderr io.Writer
	glog           glog.Settings
	log            *glog.Logger
	flags          flags
}

// run runs the program and gives its exit code.
func run(args []string, stdout, stderr io.Writer) (code int) {
	a := &app{program: filepath.Base(args[0]), stdout: stdout, stderr: stderr, glog: glog.Default()}
	defer func() {
		if r := recover(); r != nil {
			code = a.exit(fmt.Errorf("internal error, please report it with what led to it: %v\n%s", r, debug.Stack()))
		}
	}()
	return a.exit(a.dispatch(args[1:]))
}

// exit says what went wrong, if anything, and gives the exit code.
func (a *app) exit(err error) int {
	if a.log == nil {
		a.log = glog.New(a.program, a.stderr, a.glog)
	}
	code := exitFatal
	var usage *gflags.UsageError
	switch {
	case err == nil:
		code = exitOK
	case errors.Is(err, errTerminated):
		code = exitTerminated
	case errors.Is(err, errHelp):
		code = exitUsage
	case errors.As(err, &usage):
		fmt.Fprintln(a.stderr, usage)
		code = exitUsage
	default:
		f := fatalOf(err)
		a.log.Log(glog.Fatal, f.file, f.line, f.err.Error())
	}
	if err := a.log.Close(); err != nil && code == exitOK {
		fmt.Fprintf(a.stderr, "%s: log file: %v\n", a.program, err)
	}
	return code
}

// errHelp: the help was printed, which gflags ends with a failure.
var errHelp = errors.New("help")

// dispatch takes the command line apart and runs its command.
func (a *app) dispatch(args []string) error {
	root, all := a.root()
	if len(args) > 0 && (args[0] == "completion" || strings.HasPrefix(args[0], "__complete")) {
		root.SetArgs(args) // cobra's own: scripts for shells
		return root.Execute()
	}
	parser := gflags.Parser{Program: a.program, Flags: all, LookupEnv: os.LookupEnv}
	line, err := parser.Parse(args)
	if err != nil {
		return err
	}
	switch {
	case line.Version:
		a.printVersion()
		return nil
	case line.Help:
		a.usage(root, first(line.Words))
		return errHelp
	case len(line.Words) != 1:
		a.usage(root, "")
		return nil
	}
	if err := a.glog.FromEnv(os.LookupEnv); err != nil {
		return &gflags.UsageError{Lines: []string{"ERROR: " + err.Error()}}
	}
	if c, _, err := root.Find(line.Words); err != nil || c == root {
		a.log = glog.New(a.program, a.stderr, a.glog)
		return a.unknownAction(line.Words[0])
	}
	root.SetArgs(append(line.Words, line.Flags...))
	return root.Execute()
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// root makes cobra's commands, and the set of all flags that any of them has.
func (a *app) root() (*cobra.Command, *pflag.FlagSet) {
	root := &cobra.Command{Use: a.program, SilenceErrors: true, SilenceUsage: true}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	a.flags.add(root.PersistentFlags())
	addGlogFlags(root.PersistentFlags(), &a.glog)
	all := pflag.NewFlagSet(a.program, pflag.ContinueOnError)
	all.AddFlagSet(root.PersistentFlags())
	for _, c := range commands() {
		sub := &cobra.Command{Use: c.name, Short: c.brief, RunE: func(*cobra.Command, []string) error {
			a.log = glog.New(a.program, a.stderr, a.glog)
			if err := a.flags.check(); err != nil {
				return err
			}
			return c.run(a)
		}}
		if c.flags != nil {
			c.flags(a, sub.Flags())
			all.AddFlagSet(sub.Flags())
		}
		sub.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(all, err) })
		root.AddCommand(sub)
	}
	return root, all
}

// flagError words pflag's errors as gflags does.
func flagError(all *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown): // known to another command
		return &gflags.UsageError{Lines: []string{fmt.Sprintf("ERROR: unknown command line flag '%s'", unknown.GetSpecifiedName()),
			"       this command does not have it"}}
	case errors.As(err, &invalid):
		return gflags.Illegal(invalid.GetFlag(), invalid.GetValue())
	}
	return &gflags.UsageError{Lines: []string{"ERROR: " + err.Error()}}
}

func (a *app) printVersion() {
	if a.program == "caffe" {
		fmt.Fprintf(a.stdout, "caffe version %s\n", caffeVersion) // scripts compare it
		return
	}
	fmt.Fprintf(a.stdout, "%s version %s (Caffe %s)\n", a.program, version, caffeVersion)
}

func (a *app) unknownAction(name string) error {
	a.log.Errorf("caffe.cpp", 78, "Available caffe actions:")
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	sort.Strings(names)
	for _, n := range names {
		a.log.Errorf("caffe.cpp", 81, "\t%s", n)
	}
	hint := ""
	if n := proto.Nearest(name, names); n != "" {
		hint = fmt.Sprintf(" (did you mean %s?)", n)
	}
	return fatalf("caffe.cpp", 83, "Unknown action: %s%s", name, hint)
}
