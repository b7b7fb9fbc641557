package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/gocaffe/gocaffe/net"
)

// besides is what a command that runs a net takes beyond what summary takes once it has compiled the net's plan: more of the program
// and of its libraries, stacks, and garbage between Go's collections. Measured on the example nets, where it is 0 to 9 MiB.
const besides = 3 << 20

// usualProgram is the program's own memory where the system does not tell: what it is on Linux with oneDNN 2.6.
const usualProgram = 28 << 20

// programBytes is what the program takes besides tensors: what it takes now, while a plan is compiled that has no memory, and besides.
func programBytes() int64 {
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return usualProgram
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return usualProgram
	}
	return resident*int64(os.Getpagesize()) + besides
}

// printMemory writes a line for each command: its peak and what that is made of.
func printMemory(w io.Writer, list []net.Memory) error {
	for _, m := range list {
		var parts []string
		for _, p := range []struct {
			name  string
			bytes int64
		}{
			{"parameters", m.Parameters}, {"gradients", m.Gradients}, {"history", m.History}, {"weight copies", m.Copies},
			{"activations", m.Activations}, {"batches", m.Batches}, {"test nets", m.Tests}, {"program", m.Program},
		} {
			if p.bytes > 0 {
				parts = append(parts, p.name+" "+mib(p.bytes))
			}
		}
		if _, err := fmt.Fprintf(w, "peak memory of %s: %s (%s)\n", m.Command, mib(m.Peak), strings.Join(parts, ", ")); err != nil {
			return err
		}
	}
	return nil
}
