package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func forwardFlags(a *app, set *pflag.FlagSet) {
	set.StringVar(&a.flags.input, "input", "", "the .npz with an array for each input blob; its shape becomes the input's")
	set.StringVar(&a.flags.output, "output", "", "the .npz to write")
	set.StringVar(&a.flags.blobs, "blobs", "", "blobs to write separated by ',', or all; the net's outputs where not given")
}

// forward runs the arrays of -input through the net of -model and writes blobs to -output, both keyed by blob name.
func forward(a *app) (err error) {
	if a.flags.model == "" || a.flags.output == "" {
		return fatalf("gocaffe.go", 1, "forward needs the net's prototxt (-model) and the .npz to write (-output)")
	}
	phase, err := a.flags.phaseOr(caffepb.Phase_TEST)
	if err != nil {
		return err
	}
	var in map[string]npz.Array
	if a.flags.input != "" {
		if in, err = npz.Read(a.flags.input); err != nil {
			return fatalAt("gocaffe.go", 1, err)
		}
	}
	dev, err := a.openDevice(a.firstGPU(266, 270), 275)
	if err != nil {
		return err
	}
	defer closing(dev, &err)
	all := a.flags.blobs == "all"
	o := net.Options{Device: dev, KeepAll: all}
	if !all && a.flags.blobs != "" {
		o.Keep = strings.Split(a.flags.blobs, ",")
	}
	n, err := a.newNet(phase, o)
	if err != nil {
		return err
	}
	defer closing(n, &err)
	if a.flags.weights != "" {
		if err := a.copyTrained(n); err != nil {
			return err
		}
	}
	if err := a.setInputs(n, in); err != nil {
		return err
	}
	if err := n.Forward(); err != nil {
		return fatalAt("gocaffe.go", 1, err)
	}
	return a.writeBlobs(n, o.Keep)
}

// setInputs reshapes the net to the arrays and sets its inputs, all of which must be there.
func (a *app) setInputs(n *net.Net, in map[string]npz.Array) error {
	inputs := n.Inputs()
	shapes := map[string]engine.Shape{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(inputs, name) {
			return fatalf("gocaffe.go", 1, "%s: array %q is no input of %s (inputs: %s)", a.flags.input, name, a.flags.model, strings.Join(inputs, ", "))
		}
		shapes[name] = in[name].Shape
	}
	for _, name := range inputs {
		if _, ok := in[name]; !ok {
			return fatalf("gocaffe.go", 1, "-input %q has no array %q, an input of %s", a.flags.input, name, a.flags.model)
		}
	}
	if len(shapes) == 0 {
		return nil
	}
	if err := n.SetInputShapes(shapes); err != nil {
		return fatalf("gocaffe.go", 1, "%s: the net does not take these shapes: %w", a.flags.input, err)
	}
	for name, array := range in {
		if err := n.SetInput(name, array.Data); err != nil {
			return fatalAt("gocaffe.go", 1, err)
		}
	}
	return nil
}

// writeBlobs writes the named blobs, all with -blobs all, else the net's outputs.
func (a *app) writeBlobs(n *net.Net, names []string) error {
	switch {
	case a.flags.blobs == "all":
		names = n.Blobs()
	case len(names) == 0:
		for _, o := range n.Outputs() {
			names = append(names, o.Name)
		}
	}
	out := map[string]npz.Array{}
	for _, name := range names {
		shape, err := n.Shape(name)
		if err != nil {
			return err
		}
		values, err := read(n, name, shape)
		if err != nil {
			return err
		}
		out[name] = npz.Array{Shape: shape, Data: values}
	}
	return fatalAt("gocaffe.go", 1, npz.WriteFile(a.flags.output, out))
}
