package solver

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// disk is what a snapshot needs of the file system, so that tests can let it fail.
type disk interface {
	create(path string) (syncWriter, error)
	open(path string) (io.ReadCloser, error)
	rename(from, to string) error
	remove(path string) error
	sync(path string) error // of a file or a folder that is there already
}

type syncWriter interface {
	io.WriteCloser
	Sync() error
}

type osDisk struct{}

func (osDisk) create(path string) (syncWriter, error)  { return os.Create(path) }
func (osDisk) open(path string) (io.ReadCloser, error) { return os.Open(path) }
func (osDisk) rename(from, to string) error            { return os.Rename(from, to) }
func (osDisk) remove(path string) error                { return os.Remove(path) }

func (osDisk) sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// writeFile writes a whole file and waits until it is on the disk. Errors name the file.
func writeFile(d disk, path string, fill func(io.Writer) error) error {
	err := fillFile(d, path, fill)
	var named *fs.PathError
	if err != nil && !errors.As(err, &named) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return err
}

func fillFile(d disk, path string, fill func(io.Writer) error) error {
	f, err := d.create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = fill(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// digest tells two files apart.
type digest struct {
	Size int64  `json:"size"`
	CRC  uint32 `json:"crc32c"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func digestFile(d disk, path string) (digest, error) {
	f, err := d.open(path)
	if err != nil {
		return digest{}, err
	}
	defer f.Close()
	h := crc32.New(castagnoli)
	n, err := io.Copy(h, f)
	return digest{Size: n, CRC: h.Sum32()}, err
}

// folder is the folder of a path, as sync wants it.
func folder(path string) string { return filepath.Dir(path) }
