// Package leveldb reads and writes Caffe's LevelDB databases, in pure Go. Importing it registers the backend LEVELDB with package data.
package leveldb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/iterator"
	"github.com/syndtr/goleveldb/leveldb/opt"

	"github.com/gocaffe/gocaffe/data"
)

func init() {
	data.Register(data.Backend{
		Name:   "LEVELDB",
		Open:   func(path string, log data.Logger) (data.Source, error) { return open(path, log) },
		Create: func(path string, log data.Logger) (data.Writer, error) { return Create(path, log) },
	})
}

// source is an iterator that stands at the record that Next will give.
type source struct {
	path string
	db   *leveldb.DB
	it   iterator.Iterator
}

func open(path string, log data.Logger) (s *source, err error) {
	if err := checkFolder(path); err != nil {
		return nil, err
	}
	defer recovered(path, &err)
	// Strict about the journal too: a small database is nothing else, and damaged records would be left out without a word.
	db, err := leveldb.Open(folder(path), &opt.Options{
		ReadOnly: true, ErrorIfMissing: true, OpenFilesCacheCapacity: 100, Strict: opt.DefaultStrict | opt.StrictManifest | opt.StrictJournal,
	})
	if err != nil {
		return nil, fmt.Errorf("Failed to open leveldb %s: %w", path, err)
	}
	s = &source{path: path, db: db, it: db.NewIterator(nil, &opt.ReadOptions{DontFillCache: true})}
	if !s.it.First() {
		err := s.it.Error()
		s.Close()
		if err == nil {
			err = errors.New("it is empty")
		}
		return nil, fmt.Errorf("Failed to open leveldb %s: %w", path, err)
	}
	log.Infof("db_leveldb.cpp", 18, "Opened leveldb %s", path)
	return s, nil
}

// checkFolder gives better errors than LevelDB for the usual mistakes.
func checkFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("Failed to open leveldb %s: No such file or directory: make it with convert_imageset -backend leveldb, or set "+
			"data_param.source (relative to the folder that the program runs in)", path)
	case err != nil:
		return fmt.Errorf("Failed to open leveldb: %w", err)
	case !info.IsDir():
		return fmt.Errorf("Failed to open leveldb %s: it is a file; give the folder with CURRENT in it", path)
	}
	if _, err := os.Stat(filepath.Join(path, "CURRENT")); err != nil {
		if _, err := os.Stat(filepath.Join(path, "data.mdb")); err == nil {
			return fmt.Errorf("Failed to open leveldb %s: it is an LMDB: set backend: LMDB in data_param (the default is LEVELDB)", path)
		}
		return fmt.Errorf("Failed to open leveldb %s: there is no CURRENT in it", path)
	}
	return nil
}

// recovered makes an error of a panic in goleveldb, which takes what passes its checksums on trust.
func recovered(path string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("leveldb %s: it is damaged: make the database again (%v)", path, r)
	}
}

func (s *source) Next(rec *data.Record) (last bool, err error) {
	defer recovered(s.path, &err)
	if err := s.it.Error(); err != nil {
		return false, s.fail(err)
	}
	rec.Key = append(rec.Key[:0], s.it.Key()...)
	rec.Value = append(rec.Value[:0], s.it.Value()...)
	if s.it.Next() {
		return false, nil
	}
	if err := s.it.Error(); err != nil {
		return false, s.fail(err)
	}
	s.it.First()
	return true, nil
}

func (s *source) fail(err error) error { return fmt.Errorf("leveldb %s: %w", s.path, err) }

func (s *source) Seek(m data.Mark) (err error) {
	defer recovered(s.path, &err)
	if m.Pos == 0 {
		s.it.First()
		return s.it.Error()
	}
	if !s.it.Seek(m.After) || string(s.it.Key()) != string(m.After) || !s.it.Next() {
		if err := s.it.Error(); err != nil {
			return s.fail(err)
		}
		return fmt.Errorf("leveldb %s has no record after %q to go on with: it is not the database that was read before", s.path, m.After)
	}
	return nil
}

// Len is -1: LevelDB does not count its records.
func (s *source) Len() int64   { return -1 }
func (s *source) Name() string { return s.path }

func (s *source) Close() error {
	if s.db == nil {
		return nil
	}
	s.it.Release()
	err := s.db.Close()
	s.db = nil
	return err
}

// Writer makes a database as Caffe's tools do, committing records by the thousand.
type Writer struct {
	path  string
	db    *leveldb.DB
	batch leveldb.Batch
	err   error // sticky
}

const commitEvery = 1000

// Create makes the folder path, which must not exist, and an empty database in it.
func Create(path string, log data.Logger) (*Writer, error) {
	if err := os.Mkdir(path, 0o744); err != nil {
		return nil, fmt.Errorf("mkdir %s failed: %w", path, errors.Unwrap(err))
	}
	const caffeBlockSize, caffeWriteBuffer = 64 << 10, 256 << 20
	db, err := leveldb.OpenFile(path, &opt.Options{BlockSize: caffeBlockSize, WriteBuffer: caffeWriteBuffer, OpenFilesCacheCapacity: 100})
	if err != nil {
		return nil, fmt.Errorf("Failed to open leveldb %s: %w", path, err)
	}
	log.Infof("db_leveldb.cpp", 18, "Opened leveldb %s", path)
	return &Writer{path: path, db: db}, nil
}

// Put adds a record.
func (w *Writer) Put(key string, value []byte) error {
	if w.err != nil {
		return w.err
	}
	w.batch.Put([]byte(key), value)
	if w.batch.Len() < commitEvery {
		return nil
	}
	return w.commit(false)
}

func (w *Writer) commit(sync bool) error {
	if w.err == nil {
		if err := w.db.Write(&w.batch, &opt.WriteOptions{Sync: sync}); err != nil {
			w.err = fmt.Errorf("cannot write to leveldb %s: %w", w.path, err)
		}
		w.batch.Reset()
	}
	return w.err
}

// Close commits what is pending, syncs and closes the database.
func (w *Writer) Close() error {
	if w.db == nil {
		return w.err
	}
	err := w.commit(true)
	if closeErr := w.db.Close(); err == nil {
		err = closeErr
	}
	w.db = nil
	return err
}
