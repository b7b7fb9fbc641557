package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/internal/sharedtest"
)

// call runs the program in this process.
func call(args ...string) (code int, stdout, stderr string) {
	var out, log bytes.Buffer
	code = run(args, &out, &log)
	return code, out.String(), log.String()
}

// Real models give real Caffe's outputs on each engine: 1e-4 on probabilities, 1e-3 relative elsewhere; all blobs by mean, norm, least and greatest.
// With all blobs asked for nothing between them is fused, so that the outputs are also asked for alone.
func TestForwardModels(t *testing.T) {
	goldens, err := filepath.Glob(filepath.Join(sharedtest.Dir(t, "models"), "*", "golden.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(goldens) < 11 {
		t.Errorf("only %d models have a golden", len(goldens))
	}
	for _, path := range goldens {
		dir := filepath.Dir(path)
		golden, err := npz.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		for engine := range enginetest.Devices(t) {
			t.Run(filepath.Base(dir)+"/"+engine, func(t *testing.T) {
				compareModel(t, golden, forwardModel(t, dir, engine, golden, "-blobs", "all"))
				compareOutputs(t, golden, forwardModel(t, dir, engine, golden))
			})
		}
	}
}

// forwardModel runs a model's net on the golden's inputs and gives its outputs, or the blobs that flags ask for.
func forwardModel(t *testing.T, dir, engine string, golden map[string]npz.Array, flags ...string) map[string]npz.Array {
	t.Helper()
	in := map[string]npz.Array{}
	for name, a := range golden {
		if blob, ok := strings.CutPrefix(name, "in/"); ok {
			in[blob] = a
		}
	}
	tmp := t.TempDir()
	input, output := filepath.Join(tmp, "in.npz"), filepath.Join(tmp, "out.npz")
	if err := npz.WriteFile(input, in); err != nil {
		t.Fatal(err)
	}
	code, _, log := call(append([]string{"gocaffe", "forward", "-model", filepath.Join(dir, "deploy.prototxt"),
		"-weights", filepath.Join(dir, "weights.caffemodel"), "-input", input, "-output", output, "-engine", engine, "-minloglevel=1"}, flags...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	out, err := npz.Read(output)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compareModel(t *testing.T, golden, out map[string]npz.Array) {
	t.Helper()
	compareOutputs(t, golden, out)
	for name, want := range golden {
		if blob, ok := strings.CutPrefix(name, "stat/"); ok {
			got := statistics(out[blob].Data)
			for i, w := range want.Data {
				if !(math.Abs(got[i]-float64(w)) <= 1e-3*math.Max(1, got[1]/math.Sqrt(float64(len(out[blob].Data))))+1e-3*math.Abs(float64(w))) {
					t.Errorf("%s: mean, norm, min, max = %g, want %g", blob, got, want.Data)
					break
				}
			}
		}
	}
}

func compareOutputs(t *testing.T, golden, out map[string]npz.Array) {
	t.Helper()
	outputs := 0
	for name, want := range golden {
		blob, ok := strings.CutPrefix(name, "out/")
		if !ok {
			continue
		}
		outputs++
		got := out[blob]
		if len(got.Data) != len(want.Data) {
			t.Errorf("%s has shape %v, want %v", blob, got.Shape, want.Shape)
			continue
		}
		for i, w := range want.Data {
			if d := math.Abs(float64(got.Data[i] - w)); !(d <= math.Max(1e-4, 1e-3*math.Abs(float64(w)))) {
				t.Errorf("%s[%d] = %g, want %g", blob, i, got.Data[i], w)
				break
			}
		}
	}
	if outputs == 0 {
		t.Error("the golden has no outputs")
	}
}

// statistics are mean, L2 norm, least and greatest.
func statistics(x []float32) [4]float64 {
	s := [4]float64{0, 0, math.Inf(1), math.Inf(-1)}
	for _, v := range x {
		f := float64(v)
		s[0] += f / float64(len(x))
		s[1] += f * f
		s[2], s[3] = math.Min(s[2], f), math.Max(s[3], f)
	}
	s[1] = math.Sqrt(s[1])
	return s
}

func TestForwardErrors(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "net.prototxt")
	text := `name: "n" layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }`
	if err := os.WriteFile(model, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	write := func(name string, arrays map[string]npz.Array) string {
		path := filepath.Join(dir, name)
		if err := npz.WriteFile(path, arrays); err != nil {
			t.Fatal(err)
		}
		return path
	}
	four := npz.Array{Shape: []int{3, 4}, Data: make([]float32, 12)}
	good, output := write("good.npz", map[string]npz.Array{"x": four}), filepath.Join(dir, "out.npz")
	for _, c := range []struct{ args, want string }{
		{"-output " + output, "-model"},
		{"-model " + model, "-output"},
		{"-model " + model + " -output " + output, `no array "x"`},
		{"-model " + model + " -output " + output + " -input " + write("z.npz", map[string]npz.Array{"x": four, "z": four}), `array "z" is no input`},
		{"-model " + model + " -output " + output + " -input " + model, "not an .npz archive"},
		{"-model " + model + " -output " + output + " -input " + good + " -blobs q", "Unknown blob name q"},
		{"-model " + model + " -output " + output + " -input " + good + " -weights " + filepath.Join(dir, "nope"), "Couldn't open"},
		{"-model " + model + " -output " + filepath.Join(dir, "no", "dir.npz") + " -input " + good, "no such file or directory"},
	} {
		code, _, log := call(append([]string{"gocaffe", "forward", "-engine", "ref"}, strings.Fields(c.args)...)...)
		if code != exitFatal || !strings.Contains(log, c.want) {
			t.Errorf("%s: exit %d, want %q in\n%s", c.args, code, c.want, log)
		}
	}
	if code, _, log := call("gocaffe", "forward", "-engine", "ref", "-model", model, "-input", good, "-output", output); code != 0 {
		t.Fatal(log)
	}
	out, err := npz.Read(output)
	if err != nil || len(out) != 1 || len(out["y"].Data) != 6 {
		t.Errorf("a batch of 3: %v %v", out, err)
	}
}
