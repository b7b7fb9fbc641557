package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/gocaffe/gocaffe/data/decode"
	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda"
	"github.com/gocaffe/gocaffe/engine/null"
)

// deviceQuery tells which GPUs and engines this program has, and on which libraries they stand.
func deviceQuery(a *app) error {
	a.log.Infof("caffe.cpp", 138, "Querying GPUs %s", a.flags.gpu)
	ids, failed := a.flags.gpus()
	for _, id := range ids {
		if failed == nil {
			failed = a.queryGPU(id)
		}
	}
	for _, name := range engine.Names() {
		if name == null.Name {
			continue // runs nothing, so it is no answer to what can run here
		}
		if err := a.describeEngine(name); err != nil {
			return err
		}
	}
	a.describeLibrary("JPEG", decode.Library)
	a.describeLibrary("HDF5", hdf5.Library)
	return failed
}

func (a *app) describeEngine(name string) error {
	dev, err := engine.Open(name, engine.Config{Threads: int(a.flags.threads)})
	if err != nil {
		a.log.Infof("gocaffe.go", 1, "engine %s: not available: %v", name, err)
		return nil
	}
	info := dev.Info()
	a.log.Infof("gocaffe.go", 1, "%s", describe(info))
	if name == cuda.Name {
		info.Libraries = cuda.Libraries() // also those that no op has needed yet
	}
	for _, l := range info.Libraries {
		where := l.Path
		if where == "" {
			where = "not found"
		}
		if l.Missing != "" {
			where = "not available: " + l.Missing
		}
		a.log.Infof("gocaffe.go", 1, "  %s: %s", strings.TrimSpace(l.Name+" "+l.Version), where)
	}
	return dev.Close()
}

// describeLibrary tells of a library that reads or writes files: its name, version and path, or what to install.
func (a *app) describeLibrary(kind string, find func() (string, error)) {
	text, err := find()
	if err != nil {
		text = "not available: " + err.Error()
	} else if path := loadedFrom(strings.Fields(text)[0]); path != "" {
		text += ": " + path
	}
	a.log.Infof("gocaffe.go", 1, "%s files: %s", kind, text)
}

// loadedFrom is the file that a loaded library came from, with its version in the name where the system puts it there. It is "" where
// the system does not tell.
func loadedFrom(library string) string {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(maps)) {
		if at := strings.IndexByte(line, '/'); at >= 0 && strings.HasPrefix(filepath.Base(line[at:]), library) {
			return strings.TrimSpace(line[at:])
		}
	}
	return ""
}
