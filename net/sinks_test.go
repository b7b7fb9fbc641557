package net_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
)

const output = `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 1 } } }
layer { name: "double" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }
layer { name: "out" type: "HDF5Output" bottom: "y" bottom: "x" hdf5_output_param { file_name: "f.h5" } }
`

// written notes what it is given.
type written struct {
	text   []string
	failAt string
}

func (w *written) note(text string) error {
	w.text = append(w.text, text)
	if w.failAt == text {
		return errors.New("the disk is full")
	}
	return nil
}

func (w *written) Write(shapes []engine.Shape, data [][]float32) error {
	return w.note(fmt.Sprint(shapes, data))
}

func (w *written) Close() error { return w.note("closed") }

// A sink gets the layer's bottoms after each forward pass, and is closed with the net.
func TestSinks(t *testing.T) {
	w := &written{}
	opened := ""
	n := open(t, output, net.Options{Sink: func(l *spec.Layer) (net.Sink, error) {
		opened += l.GetHdf5OutputParam().GetFileName()
		return w, nil
	}})
	for _, x := range [][]float32{{1, 2}, {3, 4}} {
		must(t, n.SetInput("x", x))
		must(t, n.Forward())
	}
	must(t, n.Close())
	want := []string{"[2 1 1 1 2 1 1 1] [[2 4] [1 2]]", "[2 1 1 1 2 1 1 1] [[6 8] [3 4]]", "closed"}
	if opened != "f.h5" || fmt.Sprint(w.text) != fmt.Sprint(want) {
		t.Errorf("%s got %q, want %q", opened, w.text, want)
	}
}

// What a sink cannot do is an error of its layer.
func TestSinkErrors(t *testing.T) {
	if _, err := net.New(parse(t, output), net.Options{Device: device(t)}); err == nil || !strings.Contains(err.Error(), `layer "out" (HDF5Output): nothing can be written here`) {
		t.Errorf("without sinks: %v", err)
	}
	for _, at := range []string{"[2 1 1 1 2 1 1 1] [[0 0] [0 0]]", "closed"} {
		w := &written{failAt: at}
		n, err := net.New(parse(t, output), net.Options{Device: device(t), Sink: func(*spec.Layer) (net.Sink, error) { return w, nil }})
		must(t, err)
		err = errors.Join(n.Forward(), n.Close())
		if err == nil || !strings.Contains(err.Error(), `layer "out" (HDF5Output): the disk is full`) {
			t.Errorf("%s: %v", at, err)
		}
	}
}
