// Gocaffe is Caffe's command line: it trains, tests, times and describes nets written for Caffe. README.md tells its commands, flags and
// exit codes.
package main

import (
	"os"

	_ "github.com/gocaffe/gocaffe/data/leveldb"
	_ "github.com/gocaffe/gocaffe/data/lmdb"
	_ "github.com/gocaffe/gocaffe/engine/cpu"
	_ "github.com/gocaffe/gocaffe/engine/ref" // the engine of last resort
)

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }
