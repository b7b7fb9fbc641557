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

// source is a cursor in a read-only transaction. Its records refer to the mapped file.
type source struct {
	path   string
	env    *lmdb.Env
	txn    *lmdb.Txn
	cursor *lmdb.Cursor
	len    int64
	pos    int64
}

func open(path string, log data.Logger) (*source, error) {
	if err := checkFolder(path); err != nil {
		return nil, err
	}
	s := &source{path: path}
	if err := s.open(); err != nil {
		s.Close()
		return nil, fmt.Errorf("cannot open LMDB %s: %w", path, explain(err))
	}
	if s.len == 0 {
		s.Close()
		return nil, fmt.Errorf("LMDB %s is empty", path)
	}
	log.Infof("db_lmdb.cpp", 35, "Opened lmdb %s", path)
	return s, nil
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

// explain adds what to do to errors that users meet.
func explain(err error) error {
	switch {
	case lmdb.IsErrno(err, lmdb.Invalid), lmdb.IsErrno(err, lmdb.Corrupted), lmdb.IsErrno(err, lmdb.VersionMismatch):
		return fmt.Errorf("%w: data.mdb is damaged, cut short or no LMDB: make the database again", err)
	}
	return err
}

func (s *source) open() (err error) {
	if s.env, err = lmdb.NewEnv(); err != nil {
		return err
	}
	if err = s.env.Open(s.path, lmdb.Readonly|lmdb.NoLock, 0o644); err != nil {
		return err
	}
	if err = s.checkLength(); err != nil {
		return err
	}
	stat, err := s.env.Stat()
	if err != nil {
		return err
	}
	s.len = int64(stat.Entries)
	if s.txn, err = s.env.BeginTxn(nil, lmdb.Readonly); err != nil {
		return err
	}
	s.txn.RawRead = true
	db, err := s.txn.OpenRoot(0)
	if err != nil {
		return err
	}
	s.cursor, err = s.txn.OpenCursor(db)
	return err
}

// checkLength refuses a file that ends before its last page: reading the mapped memory there would kill the process.
func (s *source) checkLength() error {
	info, err := s.env.Info()
	if err != nil {
		return err
	}
	stat, err := s.env.Stat()
	if err != nil {
		return err
	}
	file, err := os.Stat(filepath.Join(s.path, "data.mdb"))
	if err != nil {
		return err
	}
	if want := (info.LastPNO + 1) * int64(stat.PSize); file.Size() < want {
		return fmt.Errorf("data.mdb is cut short: it has %d bytes of %d: copy or make the database again", file.Size(), want)
	}
	return nil
}

func (s *source) Next(rec *data.Record) (last bool, err error) {
	op := uint(lmdb.Next)
	if s.pos == 0 {
		op = lmdb.First
	}
	if rec.Key, rec.Value, err = s.cursor.Get(nil, nil, op); err != nil {
		return false, fmt.Errorf("LMDB %s: record %d of %d: %w", s.path, s.pos, s.len, explain(err))
	}
	if s.pos++; s.pos < s.len {
		return false, nil
	}
	s.pos = 0
	return true, nil
}

func (s *source) Seek(m data.Mark) error {
	if m.Pos < 0 || m.Pos >= s.len {
		return fmt.Errorf("LMDB %s has %d records, none at position %d", s.path, s.len, m.Pos)
	}
	s.pos = m.Pos
	if m.Pos == 0 {
		return nil
	}
	if _, _, err := s.cursor.Get(m.After, nil, lmdb.SetKey); err != nil {
		return fmt.Errorf("LMDB %s has no record %q, after which to go on: it is not the database that was read before", s.path, m.After)
	}
	return nil
}

func (s *source) Len() int64   { return s.len }
func (s *source) Name() string { return s.path }

func (s *source) Close() error {
	if s.cursor != nil {
		s.cursor.Close()
	}
	if s.txn != nil {
		s.txn.Abort()
	}
	if s.env == nil {
		return nil
	}
	err := s.env.Close()
	s.cursor, s.txn, s.env = nil, nil, nil
	return err
}

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
