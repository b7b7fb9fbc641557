// Build compiles the fake libraries of engine/cuda/fake into the folder that it is given.
package main

import (
	"fmt"
	"os"

	"github.com/gocaffe/gocaffe/engine/cuda/fake"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: build FOLDER")
		os.Exit(2)
	}
	if err := fake.Build(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
