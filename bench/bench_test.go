package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	caffe "github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Every net has constant input, and batch 1 where its latency is measured.
func TestNets(t *testing.T) {
	t.Chdir("..")
	for _, n := range append(allNets, net{Name: "peak", Model: "bench/peak.prototxt"}) {
		for _, m := range []mode{training, inference} {
			if m == inference && !n.Latency {
				continue
			}
			path, err := m.model(n, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			f, err := proto.ReadNet(path)
			if err != nil {
				t.Fatal(err)
			}
			state := &caffepb.NetState{Phase: caffepb.Phase(caffepb.Phase_value[m.phase]).Enum(), Stage: []string{"dummy"}}
			s, err := caffe.Summarize(f, caffe.SummaryOptions{State: state})
			if err != nil {
				t.Fatal(err)
			}
			if s.Layers[0].Type != "DummyData" || m.batch > 0 && s.Blobs["data"][0] != m.batch {
				t.Errorf("%s: first layer %v, input %v", n.Name, s.Layers[0], s.Blobs["data"])
			}
		}
	}
	if _, err := inference.model(net{Model: filepath.Join("examples", "finetune", "README.md")}, t.TempDir()); err == nil {
		t.Error("a file without DummyData passed")
	}
}

// The best turn of each counts, and slower than the base is an error.
func TestContest(t *testing.T) {
	turn := map[string][]float64{"gocaffe": {12, 10, 11}, "base": {9.5, 30, 30}, "Caffe": {40, 41, 42}}
	var contenders []contender
	for _, name := range []string{"gocaffe", "base", "Caffe"} {
		next := 0
		contenders = append(contenders, contender{name, "", func() string { return "1" }, 1, func(mode, string, int) (timing, error) {
			next++
			return timing{Milliseconds: turn[name][next-1], Peak: int64(next % 3)}, nil
		}})
	}
	r, err := turns(settings{rounds: 3, seconds: 1}, allNets[0], allNets[0].Model, contenders, training)
	if err != nil {
		t.Fatal(err)
	}
	if r.Best.Milliseconds != 10 || math.Abs(r.Ratios["base"]-0.95) > 1e-9 || r.Ratios["Caffe"] != 4 {
		t.Errorf("best %v, ratios %v", r.Best, r.Ratios)
	}
	if r.Peaks["gocaffe"] != 2 || r.Peaks["Caffe"] != 2 {
		t.Errorf("peaks %v: the most of a contender's turns counts", r.Peaks)
	}
	if err := slower([]result{r}, 0.06); err != nil {
		t.Errorf("5 %% of 6: %v", err)
	}
	if err := slower([]result{r}, 0.02); err == nil || !strings.Contains(err.Error(), "LeNet takes 5 % more time") {
		t.Errorf("5 %% of 2: %v", err)
	}
}

// Caffe's averages are found in its log, the ones of the phase.
func TestCaffeTimes(t *testing.T) {
	script := filepath.Join(t.TempDir(), "caffe")
	const text = `#!/bin/sh
head -c 67108864 /dev/zero | tail -c 67108864 | wc -c
echo "I1123 caffe.cpp:408] Average Forward pass: 6.25 ms." >&2
echo "I1123 caffe.cpp:412] Average Forward-Backward: 12.5 ms." >&2
`
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	for m, want := range map[mode]float64{training: 12.5, inference: 6.25} {
		got, err := realCaffe(script).time(m, "x.prototxt", 1)
		if err != nil || got.Milliseconds != want || got.Peak < 64<<20 {
			t.Errorf("%v: %v, %v; tail holds 64 MiB", m, got, err)
		}
	}
}
