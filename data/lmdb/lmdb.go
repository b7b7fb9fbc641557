// Package lmdb reads and writes Caffe's LMDB databases. Importing it registers the backend LMDB with package data.
//
// Databases are opened without locks: the folder may be read-only, and any number of processes may read it. Nobody may write to a database
// while it is read this way, which Caffe's tools never do: they make a database once.
package lmdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/bmatsuo/lmdb-go/lmdb"

	"github.com/gocaffe/gocaffe/data"
)

func init() {
	data.Register(data.Backend{
		Name:   "LMDB",
		Open:   func(path string, log data.Logger) (data.Source, error) { return open(path, log) },
		Create: func(path string, log data.Logger) (data.Writer, error) { return Create(path, log) },
	})
}

// source is a cursor over the records. They refer to the mapped file.
type source struct {
	path   string
	pages  *pages
	cursor cursor
	pos    int64
	err    error // sticky
}

func open(path string, log data.Logger) (*source, error) {
	if err := checkFolder(path); err != nil {
		return nil, err
	}
	p, err := mapPages(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open LMDB %s: %w", path, err)
	}
	if p.entries == 0 {
		p.close()
		return nil, fmt.Errorf("LMDB %s is empty", path)
	}
	log.Infof("db_lmdb.cpp", 35, "Opened lmdb %s", path)
	return &source{path: path, pages: p}, nil
}

// checkFolder gives better errors than LMDB for the usual mistakes.
func checkFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot open LMDB %s: No such file or directory: make it with convert_imageset, or set data_param.source "+
			"(relative to the folder that the program runs in)", path)
	case err != nil:
		return fmt.Errorf("cannot open LMDB: %w", err)
	case !info.IsDir():
		return fmt.Errorf("cannot open LMDB %s: it is a file; give the folder with data.mdb in it", path)
	}
	if _, err := os.Stat(filepath.Join(path, "data.mdb")); err != nil {
		if _, err := os.Stat(filepath.Join(path, "CURRENT")); err == nil {
			return fmt.Errorf("cannot open LMDB %s: it is a LevelDB: set data_param.backend to LEVELDB", path)
		}
		return fmt.Errorf("cannot open LMDB %s: No such file or directory: there is no data.mdb in it", path)
	}
	return nil
}

func (s *source) Next(rec *data.Record) (last bool, err error) {
	if s.err == nil {
		last, s.err = s.next(rec)
	}
	return last, s.err
}

func (s *source) next(rec *data.Record) (last bool, err error) {
	if s.pos == 0 {
		s.cursor = cursor{}
	}
	key, value, ok, err := s.cursor.next(s.pages)
	if err == nil && !ok {
		err = errors.New("it is not there: data.mdb is damaged: make the database again")
	}
	if err != nil {
		return false, s.fail(err)
	}
	rec.Key, rec.Value = key, value
	if s.pos++; s.pos < s.pages.entries {
		return false, nil
	}
	if !s.cursor.last() {
		return false, s.fail(errors.New("there are records behind the last one: data.mdb is damaged: make the database again"))
	}
	s.pos = 0
	return true, nil
}

func (s *source) fail(err error) error {
	return fmt.Errorf("LMDB %s: record %d of %d: %w", s.path, s.pos, s.pages.entries, err)
}

func (s *source) Seek(m data.Mark) error {
	if m.Pos < 0 || m.Pos >= s.pages.entries {
		return fmt.Errorf("LMDB %s has %d records, none at position %d", s.path, s.pages.entries, m.Pos)
	}
	s.pos = m.Pos
	if m.Pos == 0 {
		return nil
	}
	found, err := s.cursor.seek(s.pages, m.After)
	if err != nil {
		return s.fail(err)
	}
	if !found {
		return fmt.Errorf("LMDB %s has no record %q, after which to go on: it is not the database that was read before", s.path, m.After)
	}
	return nil
}

func (s *source) Len() int64   { return s.pages.entries }
func (s *source) Name() string { return s.path }

func (s *source) Close() error { return s.pages.close() }

// Writer makes a database as Caffe's tools do: records are committed by the thousand, and the file grows as needed.
type Writer struct {
	path    string
	env     *lmdb.Env
	keys    [][]byte
	values  [][]byte
	mapSize int64
	err     error // sticky
}

const (
	initialMapSize = 1 << 20
	commitEvery    = 1000
)

// Create makes the folder path, which must not exist, and an empty database in it.
func Create(path string, log data.Logger) (*Writer, error) {
	if err := os.Mkdir(path, 0o744); err != nil {
		return nil, fmt.Errorf("mkdir %s failed: %w", path, errors.Unwrap(err))
	}
	env, err := lmdb.NewEnv()
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, env: env, mapSize: initialMapSize}
	if err = env.SetMapSize(w.mapSize); err == nil {
		err = env.Open(path, 0, 0o664)
	}
	if err != nil {
		env.Close()
		return nil, fmt.Errorf("cannot make LMDB %s: %w", path, err)
	}
	log.Infof("db_lmdb.cpp", 35, "Opened lmdb %s", path)
	return w, nil
}

// Put adds a record. Keys have 1 to 511 bytes; a key that exists gets the new value.
func (w *Writer) Put(key string, value []byte) error {
	if w.err != nil {
		return w.err
	}
	if n := len(key); n == 0 || n > w.env.MaxKeySize() {
		return fmt.Errorf("LMDB %s: a key has 1 to %d bytes, not %d: %.80q", w.path, w.env.MaxKeySize(), n, key)
	}
	w.keys, w.values = append(w.keys, []byte(key)), append(w.values, slices.Clone(value))
	if len(w.keys) < commitEvery {
		return nil
	}
	return w.commit()
}

// commit writes what is pending, and doubles the map until it fits.
func (w *Writer) commit() error {
	for w.err == nil {
		err := w.env.Update(w.write)
		if err == nil {
			w.keys, w.values = w.keys[:0], w.values[:0]
			return nil
		}
		if lmdb.IsMapFull(err) {
			w.mapSize *= 2
			err = w.env.SetMapSize(w.mapSize)
		}
		if err != nil {
			w.err = fmt.Errorf("cannot write to LMDB %s: %w", w.path, err)
		}
	}
	return w.err
}

func (w *Writer) write(txn *lmdb.Txn) error {
	db, err := txn.OpenRoot(0)
	if err != nil {
		return err
	}
	for i, key := range w.keys {
		if err := txn.Put(db, key, w.values[i], 0); err != nil {
			return err
		}
	}
	return nil
}

// Close commits what is pending, syncs and closes the database.
func (w *Writer) Close() error {
	if w.env == nil {
		return w.err
	}
	err := w.commit()
	if syncErr := w.env.Sync(true); err == nil {
		err = syncErr
	}
	if closeErr := w.env.Close(); err == nil {
		err = closeErr
	}
	w.env = nil
	return err
}
