package leveldb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/syndtr/goleveldb/leveldb/storage"
)

// folder is the files of a LevelDB, for reading only. Unlike goleveldb's own storage it takes no lock, so that the folder may be
// read-only and several processes, or the train and the test net of one, may read it.
type folder string

var errReadOnly = errors.New("the LevelDB is open for reading only")

type noLock struct{}

func (noLock) Unlock() {}

func (folder) Lock() (storage.Locker, error)                   { return noLock{}, nil }
func (folder) Log(string)                                      {}
func (folder) SetMeta(storage.FileDesc) error                  { return errReadOnly }
func (folder) Create(storage.FileDesc) (storage.Writer, error) { return nil, errReadOnly }
func (folder) Remove(storage.FileDesc) error                   { return errReadOnly }
func (folder) Rename(_, _ storage.FileDesc) error              { return errReadOnly }
func (folder) Close() error                                    { return nil }

// GetMeta reads which manifest is the current one.
func (f folder) GetMeta() (storage.FileDesc, error) {
	b, err := os.ReadFile(filepath.Join(string(f), "CURRENT"))
	if err != nil {
		return storage.FileDesc{}, err
	}
	fd, ok := parseName(strings.TrimSuffix(string(b), "\n"))
	if !ok || fd.Type != storage.TypeManifest {
		return storage.FileDesc{}, &storage.ErrCorrupted{Err: fmt.Errorf("CURRENT names no manifest: %.40q", b)}
	}
	return fd, nil
}

func (f folder) List(types storage.FileType) ([]storage.FileDesc, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	var found []storage.FileDesc
	for _, e := range entries {
		if fd, ok := parseName(e.Name()); ok && fd.Type&types != 0 {
			found = append(found, fd)
		}
	}
	return found, nil
}

// Open opens a file. Tables are called .sst by LevelDB before 1.14.
func (f folder) Open(fd storage.FileDesc) (storage.Reader, error) {
	formats := map[storage.FileType][]string{
		storage.TypeManifest: {"MANIFEST-%06d"}, storage.TypeJournal: {"%06d.log"}, storage.TypeTable: {"%06d.ldb", "%06d.sst"},
		storage.TypeTemp: {"%06d.tmp"},
	}[fd.Type]
	err := error(os.ErrNotExist)
	for _, format := range formats {
		var file *os.File
		if file, err = os.Open(filepath.Join(string(f), fmt.Sprintf(format, fd.Num))); err != nil {
			continue
		}
		if fd.Type == storage.TypeTable {
			if err := checkFooter(file); err != nil {
				file.Close()
				return nil, &storage.ErrCorrupted{Fd: fd, Err: err}
			}
		}
		return file, nil
	}
	return nil, err
}

// checkFooter refuses a table whose footer, the one part without a checksum, leads out of the file: goleveldb takes as much memory as it
// says before it reads anything.
func checkFooter(table *os.File) error {
	const size, trailer = 48, 5 // a block's checksum and kind
	info, err := table.Stat()
	if err != nil {
		return err
	}
	var footer [size]byte
	if info.Size() < size {
		return fmt.Errorf("a table of %d bytes: the file is cut short", info.Size())
	}
	if _, err := table.ReadAt(footer[:], info.Size()-size); err != nil {
		return err
	}
	rest := footer[:]
	for range 2 { // metaindex and index: where each begins, and how long it is
		offset, n := binary.Uvarint(rest)
		length, m := binary.Uvarint(rest[max(n, 0):])
		end := uint64(info.Size() - size)
		if n <= 0 || m <= 0 || offset > end || length > end || offset+length+trailer > end {
			return errors.New("the footer of a table leads out of the file: the file is damaged or cut short")
		}
		rest = rest[n+m:]
	}
	return nil
}

// parseName tells LevelDB's files from others.
func parseName(name string) (fd storage.FileDesc, ok bool) {
	if n, _ := fmt.Sscanf(name, "MANIFEST-%d", &fd.Num); n == 1 {
		fd.Type = storage.TypeManifest
		return fd, true
	}
	number, extension, _ := strings.Cut(name, ".")
	if n, _ := fmt.Sscanf(number, "%d", &fd.Num); n != 1 {
		return fd, false
	}
	fd.Type, ok = map[string]storage.FileType{
		"log": storage.TypeJournal, "ldb": storage.TypeTable, "sst": storage.TypeTable, "tmp": storage.TypeTemp,
	}[extension]
	return fd, ok
}
