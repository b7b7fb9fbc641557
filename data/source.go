// Package data reads training and test data as Caffe's data layers do: records of a database or an image list, decoded, transformed and
// put together to batches by several goroutines ahead of the net.
//
// OpenData, OpenImageData and OpenDenseImageData make the Loader of a layer. The databases are packages of their own (data/lmdb, data/leveldb) that register
// themselves when imported.
package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Record is one record as its source has it. Database records have Key and Value, those of an image list File, Label and Line.
type Record struct {
	Key   []byte // the database's key
	Value []byte // a serialized Datum
	File  string // an encoded image, opened by whoever decodes the record
	Mask  string // another one, of the labels of its pixels
	Label int32
	Line  int // in the image list
	cut   *cut
}

// Mark is a place between two records of a source.
type Mark struct {
	Pos   int64  `json:"pos"`             // records before it in this round
	Round int64  `json:"round,omitempty"` // how often the source has started again
	After []byte `json:"after,omitempty"` // key of the record before it; empty at the start, and for image lists
}

// Source is records in a fixed order, gone round for ever. It is used by one goroutine at a time.
type Source interface {
	// Next makes rec the next record, and says whether it is the last one of a round: the one after it is the first again. What rec refers
	// to stays valid until Next is called with the same rec, or Close.
	Next(rec *Record) (last bool, err error)
	// Seek makes the record after m the next one.
	Seek(m Mark) error
	// Len is the number of records in a round, or -1 where the source would have to count them.
	Len() int64
	// Name is the source as the user wrote it, for errors.
	Name() string
	Close() error
}

// Writer makes a database. Commits are its own matter; Close makes everything durable.
type Writer interface {
	// Put adds a record. Key and value may be changed afterwards.
	Put(key string, value []byte) error
	Close() error
}

// Backend is a kind of database.
type Backend struct {
	Name string // that of DataParameter.DB: LMDB
	// Open opens the database at path for reading, and reports it to log as Caffe does. A database in a read-only folder, or one that
	// other processes read, is fine.
	Open func(path string, log Logger) (Source, error)
	// Create makes a new database at path, which must not exist: `mkdir PATH failed`.
	Create func(path string, log Logger) (Writer, error)
}

var backends = map[string]Backend{}

// Register makes a backend known. It is for init functions, and panics if the name is taken.
func Register(b Backend) {
	if _, taken := backends[b.Name]; taken {
		panic("data: backend " + b.Name + " is registered twice")
	}
	backends[b.Name] = b
}

// LookupBackend finds a backend by its name, in capitals or not.
func LookupBackend(name string) (Backend, error) {
	if b, ok := backends[strings.ToUpper(name)]; ok {
		return b, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(backends)), ", ")
	if known == "" {
		known = "none"
	}
	return Backend{}, fmt.Errorf("unknown database backend %q (known: %s)", name, known)
}

// Logger takes the lines of Caffe's log. File and line are those of Caffe's source, which parsers of its logs see in the prefix.
type Logger interface {
	Infof(file string, line int, format string, args ...any)
	Warningf(file string, line int, format string, args ...any)
}

type discard struct{}

func (discard) Infof(string, int, string, ...any)    {}
func (discard) Warningf(string, int, string, ...any) {}

// Discard is a Logger that drops all lines.
var Discard Logger = discard{}
