package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/engine/null"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// summary describes the net of -model in -phase: layers, shapes, parameters, multiply-adds and memory, with -solver that of its training.
func summary(a *app) (err error) {
	var o net.SummaryOptions
	p, err := a.summarySolver(&o)
	if err != nil {
		return err
	}
	phase, err := a.modelPhase("summary")
	if err != nil {
		return err
	}
	f, err := a.readNet()
	if err != nil {
		return err
	}
	if a.flags.gpu != "" {
		a.log.Warningf("gocaffe.go", 1, "summary predicts the memory of a run on the CPU: -gpu %s has no effect", a.flags.gpu)
	}
	quiet := *a
	quiet.log = &glog.Logger{} // opening the data says nothing about the net
	dev, err := quiet.openEngine()
	if err != nil {
		return err
	}
	defer closing(dev, &err)
	o.State, o.Open, o.Device, o.Program = a.flags.state(phase), quiet.openSource, null.Over(dev), programBytes
	if train := p.GetTrainState(); train != nil && phase == caffepb.Phase_TRAIN {
		pb.Merge(o.State, train)
		o.State.Phase = &phase
	}
	s, err := net.Summarize(f, o)
	if err != nil {
		return fatalAt("net.cpp", 86, err)
	}
	if p != nil && phase == caffepb.Phase_TRAIN {
		if err := a.addTests(s, p, o); err != nil {
			return err
		}
	}
	for _, text := range s.Assumed {
		a.log.Warningf("gocaffe.go", 1, "%s", text)
	}
	if a.flags.json {
		e := json.NewEncoder(a.stdout)
		e.SetEscapeHTML(false)
		return e.Encode(s)
	}
	return printSummary(a.stdout, s)
}

// printSummary writes a table, a layer a line, and the sums.
func printSummary(w io.Writer, s *net.Summary) error {
	fmt.Fprintf(w, "%s (%s)\n", s.Name, s.Phase)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "layer\ttype\tbottoms\ttops\tparams\tparameters\tmultiply-adds")
	for i, l := range s.Layers {
		var tops, params []string
		for _, name := range l.Tops {
			tops = append(tops, fmt.Sprintf("%s(%v)", name, s.Blobs[name]))
		}
		for _, shape := range s.Params[l.Name] {
			params = append(params, "("+shape.String()+")")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.Type, strings.Join(l.Bottoms, " "), strings.Join(tops, " "),
			strings.Join(params, " "), number(s.Costs[i].Parameters), number(s.Costs[i].MultiplyAdds))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "inputs: %s\noutputs: %s\nparameters: %d\nmultiply-adds: %d\nmemory: blobs %s, params %s\n",
		strings.Join(s.Inputs, " "), strings.Join(s.Outputs, " "), s.Parameters, s.MultiplyAdds, mib(s.BlobBytes), mib(s.ParamBytes)); err != nil {
		return err
	}
	return printMemory(w, s.Memory)
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
