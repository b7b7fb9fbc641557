package filler

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// The goldens hold what a net of real Caffe drew: at setup the params of its layers in order, at the first forward pass the data
// and the dropout masks. The nets are flat lists of layers, so that walking them takes no net.
func TestGoldenNets(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/golden/random/*.npz")
	if err != nil || len(paths) < 24 {
		t.Fatalf("%d golden files (%v), want all 24", len(paths), err)
	}
	for _, path := range paths {
		base := strings.TrimSuffix(path, ".npz")
		t.Run(filepath.Base(base), func(t *testing.T) {
			want, err := npz.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			// The seed is taken from the name: the member's float32 holds 24 bits of it.
			name, digits := base[:strings.LastIndexByte(base, '_')], base[strings.LastIndexByte(base, '_')+1:]
			seed, err := strconv.ParseUint(digits, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(name + ".prototxt")
			if err != nil {
				t.Fatal(err)
			}
			net := new(caffepb.NetParameter)
			parseInto(t, string(text), net)
			w := walk{t: t, want: want, r: rng.New(uint32(seed)), blobs: map[string][]float32{}, checked: []string{"seed"}}
			for _, l := range net.GetLayer() {
				w.setUp(l)
			}
			for _, l := range net.GetLayer() {
				w.forward(l)
			}
			if len(w.checked) != len(want) {
				t.Errorf("compared %v of %d members", w.checked, len(want))
			}
		})
	}
}

// walk sets a net up and runs it, as far as random numbers are concerned.
type walk struct {
	t       *testing.T
	want    map[string]npz.Array
	r       *rng.Source
	blobs   map[string][]float32
	checked []string
}

func (w *walk) setUp(l *caffepb.LayerParameter) {
	var weight, bias *caffepb.FillerParameter
	switch l.GetType() {
	case "Convolution", "Deconvolution":
		weight, bias = l.GetConvolutionParam().GetWeightFiller(), l.GetConvolutionParam().GetBiasFiller()
	case "InnerProduct":
		weight, bias = l.GetInnerProductParam().GetWeightFiller(), l.GetInnerProductParam().GetBiasFiller()
	}
	for i, p := range []*caffepb.FillerParameter{weight, bias} {
		name := fmt.Sprintf("param/%s/%d", l.GetName(), i)
		if a, ok := w.want[name]; ok {
			w.check(name, w.fill(p, a.Shape))
		}
	}
}

func (w *walk) forward(l *caffepb.LayerParameter) {
	switch l.GetType() {
	case "DummyData":
		p := l.GetDummyDataParam()
		for i, top := range l.GetTop() {
			var shape []int
			for _, d := range p.GetShape()[i].GetDim() {
				shape = append(shape, int(d))
			}
			w.blobs[top] = w.fill(p.GetDataFiller()[i], shape)
			w.check("out/"+top, w.blobs[top])
		}
	case "Dropout":
		ratio := l.GetDropoutParam().GetDropoutRatio()
		scale := float32(1 / (1 - float64(ratio)))
		x := slices.Clone(w.blobs[l.GetBottom()[0]])
		keep := make([]float32, len(x))
		w.r.Bernoulli(keep, 1-float64(ratio))
		for i := range x {
			x[i] = x[i] * keep[i] * scale
		}
		w.blobs[l.GetTop()[0]] = x
		w.check("out/"+l.GetTop()[0], x)
	}
}

func (w *walk) fill(p *caffepb.FillerParameter, shape []int) []float32 {
	dst := make([]float32, count(shape))
	if err := Fill(p, shape, dst, w.r); err != nil {
		w.t.Fatal(err)
	}
	return dst
}

// check wants the very bits: these files were written on amd64 by the arithmetic that the fillers repeat.
func (w *walk) check(name string, got []float32) {
	w.checked = append(w.checked, name)
	if !slices.Equal(got, w.want[name].Data) {
		w.t.Errorf("%s: got %v, want %v", name, got, w.want[name].Data)
	}
}
