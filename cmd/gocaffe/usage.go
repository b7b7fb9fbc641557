package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usage prints the help to stdout in gflags' form; of one command where word names one.
func (a *app) usage(root *cobra.Command, word string) {
	for _, c := range root.Commands() {
		if c.Name() == word {
			fmt.Fprintf(a.stdout, "%s %s: %s\nusage: %s %s <args>\n", a.program, c.Name(), c.Short, a.program, c.Name())
			a.flagUsage(c.LocalNonPersistentFlags(), "Flags of "+c.Name())
			a.flagUsage(root.PersistentFlags(), "Flags of every command")
			return
		}
	}
	fmt.Fprintf(a.stdout, "%s: command line brew\nusage: %s <command> <args>\n\ncommands:\n", a.program, a.program)
	for _, c := range commands() {
		fmt.Fprintf(a.stdout, "  %-15s %s\n", c.name, c.brief)
	}
	a.flagUsage(root.PersistentFlags(), "Flags of every command")
	for _, c := range root.Commands() {
		a.flagUsage(c.LocalNonPersistentFlags(), "Flags of "+c.Name())
	}
}

func (a *app) flagUsage(set *pflag.FlagSet, title string) {
	if !set.HasFlags() {
		return
	}
	fmt.Fprintf(a.stdout, "\n  %s:\n", title)
	set.VisitAll(func(f *pflag.Flag) {
		def := f.DefValue
		if f.Value.Type() == "string" {
			def = `"` + def + `"`
		}
		text := fmt.Sprintf("-%s (%s) type: %s default: %s", f.Name, f.Usage, f.Value.Type(), def)
		fmt.Fprint(a.stdout, wrap(text, 80, "    ", "      "))
	})
}

// wrap breaks text into lines of at most width columns.
func wrap(text string, width int, indent, next string) string {
	var out strings.Builder
	line := indent
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > width:
			out.WriteString(line + "\n")
			line = next + word
		default:
			line += " " + word
		}
	}
	out.WriteString(line + "\n")
	return out.String()
}
