package main

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/null"
)

// deviceQuery tells which engines this program has, on which libraries they stand, and which GPUs it can use.
func deviceQuery(a *app) error {
	a.log.Infof("caffe.cpp", 138, "Querying GPUs %s", a.flags.gpu)
	for _, name := range engine.Names() {
		if name == null.Name {
			continue // runs nothing, so it is no answer to what can run here
		}
		dev, err := engine.Open(name, engine.Config{Threads: int(a.flags.threads)})
		if err != nil {
			a.log.Infof("gocaffe.go", 1, "engine %s: not available: %v", name, err)
			continue
		}
		info := dev.Info()
		a.log.Infof("gocaffe.go", 1, "%s", describe(info))
		for _, l := range info.Libraries {
			if l.Path == "" {
				a.log.Infof("gocaffe.go", 1, "  %s: not found", l.Name)
			} else {
				a.log.Infof("gocaffe.go", 1, "  %s %s: %s", l.Name, l.Version, l.Path)
			}
		}
		if err := dev.Close(); err != nil {
			return err
		}
	}
	ids, err := a.flags.gpus()
	if err == nil && len(ids) > 0 {
		err = errNoGPU()
	}
	return err
}
