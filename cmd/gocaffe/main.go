// Gocaffe is Caffe's command line: it trains, tests, times and describes nets written for Caffe. README.md tells its commands, flags and
// exit codes.
package main

import (
	"os"
	"runtime"

	_ "github.com/gocaffe/gocaffe/data/leveldb"
	_ "github.com/gocaffe/gocaffe/data/lmdb"
	_ "github.com/gocaffe/gocaffe/engine/cpu"
	_ "github.com/gocaffe/gocaffe/engine/ref" // the engine of last resort
)

// The engine's threads belong to the system's thread that starts them: the one
// goroutine that runs nets stays on one, or a team of threads would be made anew
// whenever it wakes up elsewhere after waiting for data.
func init() { runtime.LockOSThread() }

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }
