package main

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
)

// openDevice opens the device that the flags ask for and says so at the lines of caffe.cpp where the command does.
func (a *app) openDevice(gpu gpuLog, useCPU int) (engine.Device, error) {
	ids, err := a.flags.gpus()
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 {
		return a.openGPU(ids, gpu)
	}
	a.log.Infof("caffe.cpp", useCPU, "Use CPU.")
	return a.openEngine()
}

// openEngine opens the engine of the flags. Where none was asked for and the libraries of the usual one are missing, it is the
// reference engine, which is told once.
func (a *app) openEngine() (engine.Device, error) {
	name := a.flags.engine
	config := engine.Config{Threads: int(a.flags.threads), Precision: a.flags.precision}
	if name != "" {
		dev, err := engine.Open(name, config)
		return dev, fatalAt("gocaffe.go", 1, err)
	}
	return a.openUsual(preferred, config)
}

// openUsual opens the named engine, or the reference engine where that is not possible. Who asks for a precision asks for speed:
// then there is no such way out.
func (a *app) openUsual(name string, config engine.Config) (engine.Device, error) {
	dev, err := engine.Open(name, config)
	if err == nil {
		return dev, nil
	}
	if p := config.Precision; p != "" && p != engine.PrecisionFP32 {
		return nil, fatalAt("gocaffe.go", 1, err)
	}
	slow, refErr := engine.Open(ref.Name, config)
	if refErr != nil {
		return nil, fatalf("gocaffe.go", 1, "%w; and %v", err, refErr)
	}
	a.log.Warningf("gocaffe.go", 1, "%v. Running on the engine in plain Go (-engine ref), which is many times slower", err)
	return slow, nil
}

// preferred is the engine that runs where -engine is not given.
const preferred = "cpu"

// describe is one line about a device.
func describe(i engine.Info) string {
	s := fmt.Sprintf("engine %s: %s", i.Engine, i.Name)
	if i.Threads > 0 {
		s += fmt.Sprintf(", %d threads", i.Threads)
	}
	return s
}
