//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/engine/ref"
)

// random is a tensor of values in [−1, 1) that bfloat16 holds exactly.
func random(r *rand.Rand, shape engine.Shape) []float32 {
	v := make([]float32, shape.Count())
	for i := range v {
		v[i] = engine.FromBF16(engine.ToBF16(float32(2*r.Float64() - 1)))
	}
	return v
}

// compute runs an op on a device, in the types that narrow gives and the layouts that the
// device prefers, and gives its outputs as plain float32.
func compute(t *testing.T, dev engine.Device, op engine.Op, in []engine.Desc, values [][]float32, narrow bool) [][]float32 {
	t.Helper()
	s, err := dev.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	out, err := op.Infer(in)
	if err != nil {
		t.Fatal(err)
	}
	pin, pout := in, out
	if narrow {
		pin, pout = narrowed(op, in, out)
	}
	if l, ok := dev.(engine.Layouter); ok {
		pin, pout = l.Prefer(op, pin, pout)
	}
	args := &engine.Args{}
	for i, v := range values {
		args.In = append(args.In, recast(t, dev, s, in[i], pin[i], upload(t, dev, s, v)))
	}
	for _, d := range pout {
		args.Out = append(args.Out, room(t, dev, d.Bytes()))
	}
	launchOp(t, dev, s, op, pin, pout, args)
	var results [][]float32
	for i, d := range pout {
		b := recast(t, dev, s, d, out[i], args.Out[i])
		v := make([]float32, out[i].Shape.Count())
		s.CopyOut(unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)), b)
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
		results = append(results, v)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return results
}

func narrowed(op engine.Op, in, out []engine.Desc) (pin, pout []engine.Desc) {
	ni, no := engine.Narrow(op)
	for i, d := range in {
		if ni.Has(i) {
			d.DType = engine.BF16
		}
		pin = append(pin, d)
	}
	for i, d := range out {
		if no.Has(i) {
			d.DType = engine.BF16
		}
		pout = append(pout, d)
	}
	return pin, pout
}

func room(t *testing.T, dev engine.Device, n int64) engine.Buffer {
	t.Helper()
	b, err := dev.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func upload(t *testing.T, dev engine.Device, s engine.Stream, v []float32) engine.Buffer {
	b := room(t, dev, int64(4*len(v)))
	s.CopyIn(b, unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)))
	return b
}

// recast brings a tensor into another type and layout.
func recast(t *testing.T, dev engine.Device, s engine.Stream, from, to engine.Desc, b engine.Buffer) engine.Buffer {
	t.Helper()
	if from.Equal(to) {
		return b
	}
	c := room(t, dev, to.Bytes())
	launchOp(t, dev, s, engine.Reorder{}, []engine.Desc{from}, []engine.Desc{to}, &engine.Args{In: []engine.Buffer{b}, Out: []engine.Buffer{c}})
	return c
}

func launchOp(t *testing.T, dev engine.Device, s engine.Stream, op engine.Op, in, out []engine.Desc, args *engine.Args) {
	t.Helper()
	k, err := dev.Prepare(op, in, out)
	if err != nil {
		t.Fatal(err)
	}
	if n := k.Workspace(); n > 0 {
		args.Workspace = room(t, dev, n)
	}
	s.Launch(k, args)
	if err := errors.Join(s.Sync(), k.Close()); err != nil {
		t.Fatalf("%T: %v", op, err)
	}
}

// layerShapes are convolutions as AlexNet and GoogLeNet have them, smaller, and odd ones.
var layerShapes = []struct {
	name    string
	x, w    engine.Shape
	s, p, d int
	groups  int
}{
	{"AlexNet's conv1", engine.Shape{2, 3, 35, 35}, engine.Shape{16, 3, 11, 11}, 4, 0, 1, 1},
	{"AlexNet's conv2, in groups", engine.Shape{2, 16, 13, 13}, engine.Shape{32, 8, 5, 5}, 1, 2, 1, 2},
	{"GoogLeNet's 3x3", engine.Shape{2, 24, 14, 14}, engine.Shape{32, 24, 3, 3}, 1, 1, 1, 1},
	{"GoogLeNet's 1x1", engine.Shape{2, 48, 7, 7}, engine.Shape{16, 48, 1, 1}, 1, 0, 1, 1},
	{"odd sizes", engine.Shape{3, 5, 9, 7}, engine.Shape{7, 5, 3, 3}, 2, 1, 1, 1},
	{"dilated", engine.Shape{1, 8, 15, 15}, engine.Shape{8, 8, 3, 3}, 1, 2, 2, 1},
	{"depthwise", engine.Shape{2, 12, 10, 10}, engine.Shape{12, 1, 3, 3}, 1, 1, 1, 12},
}

// convOps are a convolution and its gradients, with epilogues, and their inputs.
func convOps(x, w engine.Shape, s, p, d, groups int) map[engine.Op][]engine.Desc {
	pair := func(v int) engine.Ints { return engine.IntsOf(v, v) }
	c := engine.Conv{Kernel: engine.IntsOf(w[2:]...), Stride: pair(s), Pad: pair(p), Dilation: pair(d), Group: groups}
	out, err := c.Infer([]engine.Desc{engine.Dense(x...), engine.Dense(w...)})
	if err != nil {
		panic(err)
	}
	y := out[0].Shape
	fused, sloped := c, c
	fused.Epilogue = engine.Epilogue{Bias: true, Add: true, Act: engine.ActReLU}
	sloped.Epilogue = engine.Epilogue{Bias: true, Act: engine.ActReLU, Slope: 0.25}
	data := engine.ConvGradData{Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation, Group: groups, Size: engine.IntsOf(x[2:]...)}
	upward := data
	upward.Epilogue = engine.Epilogue{Bias: true}
	weights := engine.ConvGradWeights{Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation, Group: groups, Bias: true}
	dense := func(s ...engine.Shape) (list []engine.Desc) {
		for _, s := range s {
			list = append(list, engine.Dense(s...))
		}
		return list
	}
	return map[engine.Op][]engine.Desc{
		c: dense(x, w), fused: dense(x, w, engine.Shape{w[0]}, y), sloped: dense(x, w, engine.Shape{w[0]}),
		data: dense(y, w), upward: dense(y, w, engine.Shape{x[1]}), weights: dense(x, y),
	}
}

// close to: tol times the size of a sum of as many products.
func agree(t *testing.T, name string, got, want [][]float32, tol float64) {
	t.Helper()
	for i := range want {
		norm := 0.0
		for _, v := range want[i] {
			norm += float64(v) * float64(v)
		}
		norm = math.Sqrt(norm / float64(len(want[i])))
		for j, v := range want[i] {
			if d := math.Abs(float64(got[i][j] - v)); !(d <= tol*(norm+math.Abs(float64(v)))) {
				t.Errorf("%s: output %d: element %d is %g, ref has %g", name, i, j, got[i][j], v)
				break
			}
		}
	}
}

// TestPrecisions compares each precision with ref at layers' shapes.
func TestPrecisions(t *testing.T) {
	oracle, err := ref.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for precision, tol := range map[string]float64{engine.PrecisionFP32: 1e-5, engine.PrecisionTF32: 2e-3, engine.PrecisionBF16: 1e-2} {
		t.Run(precision, func(t *testing.T) {
			dev := enginetest.OpenOrSkip(t, Name, engine.Config{Precision: precision})
			for _, z := range layerShapes {
				for op, in := range convOps(z.x, z.w, z.s, z.p, z.d, z.groups) {
					checkOp(t, dev, oracle, fmt.Sprintf("%s, %T", z.name, op), op, in, precision, tol)
				}
			}
			gemm := engine.Gemm{TransB: true, Epilogue: engine.Epilogue{Bias: true, Act: engine.ActReLU}}
			checkOp(t, dev, oracle, "inner product", gemm, []engine.Desc{engine.Dense(5, 40), engine.Dense(24, 40), engine.Dense(24)}, precision, tol)
			checkOp(t, dev, oracle, "its weights", engine.Gemm{TransA: true}, []engine.Desc{engine.Dense(8, 24), engine.Dense(8, 40)}, precision, tol)
		})
	}
}

func checkOp(t *testing.T, dev, oracle engine.Device, name string, op engine.Op, in []engine.Desc, precision string, tol float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var values [][]float32
	for _, d := range in {
		values = append(values, random(r, d.Shape))
	}
	want := compute(t, oracle, op, in, values, false)
	agree(t, name, compute(t, dev, op, in, values, precision == engine.PrecisionBF16), want, tol)
}

// searched is a convolution that is worth a search.
func searched() (engine.Conv, []engine.Desc, []engine.Desc) {
	one := engine.IntsOf(1, 1)
	op := engine.Conv{Kernel: engine.IntsOf(3, 3), Stride: one, Pad: one, Dilation: one, Group: 1}
	in := []engine.Desc{engine.Dense(1, 64, 24, 24), engine.Dense(64, 64, 3, 3)}
	out, err := op.Infer(in)
	if err != nil {
		panic(err)
	}
	return op, in, out
}

// prepareSearched prepares it on a fresh device and gives what was warned of.
func prepareSearched(t *testing.T) (plans map[string]plan, warnings []string) {
	t.Helper()
	dev, err := Open(engine.Config{Warn: func(line string) { warnings = append(warnings, line) }})
	if err != nil {
		t.Fatal(err)
	}
	op, in, out := searched()
	k, err := dev.Prepare(op, in, out)
	if err != nil {
		t.Fatal(err)
	}
	plans = dev.(*device).plans.plans
	if err := errors.Join(k.Close(), dev.Close()); err != nil {
		t.Error(err)
	}
	return plans, warnings
}

func TestPlanCache(t *testing.T) {
	enginetest.OpenOrSkip(t, Name, engine.Config{})
	folder := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", folder)
	t.Setenv(searchVariable, "find")
	plans, warnings := prepareSearched(t)
	if len(plans) != 1 || len(warnings) > 0 {
		t.Fatalf("a search found %v and warned %v", plans, warnings)
	}
	files, err := filepath.Glob(filepath.Join(folder, "gocaffe", "cudnn-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the cache is in %v, %v", files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, warning string }{
		{"as it was written", string(good), ""},
		{"damaged", string(good[:len(good)/2]), "is damaged"},
		{"of another GPU", strings.Replace(string(good), `"gpu": "`, `"gpu": "another `, 1), "another"},
		{"naming what the library does not offer", strings.Replace(string(good), "algorithm ", "algorithm 9", 1), ""},
	} {
		if err := os.WriteFile(files[0], []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, warnings := prepareSearched(t)
		if (len(warnings) == 0) != (c.warning == "") || len(warnings) > 1 || c.warning != "" && !strings.Contains(warnings[0], c.warning) {
			t.Errorf("a cache %s: warnings %q", c.name, warnings)
		}
		now, err := os.ReadFile(files[0])
		if err != nil || !strings.Contains(string(now), `"format": 1`) || strings.Contains(string(now), "algorithm 9") {
			t.Errorf("a cache %s: after the run it holds %q, %v", c.name, now, err)
		}
	}
}

// TestCacheIsUsed: a search is spared where the cache has the answer, even if it is not the
// fastest.
func TestCacheIsUsed(t *testing.T) {
	enginetest.OpenOrSkip(t, Name, engine.Config{})
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv(searchVariable, "")
	d, err := Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	dev := d.(*device)
	made := ""
	offer := func(name string) proposal {
		return proposal{name, func() (*algo, error) {
			made += name
			return &algo{name: name, close: func() error { return nil }}, nil
		}}
	}
	dev.plans.enter("key", plan{Name: "b"})
	a, err := dev.choose(problem{key: "key", work: least}, []proposal{offer("a"), offer("b")})
	if err != nil || a.name != "b" || made != "b" {
		t.Errorf("chose %v of those made ready, %q; %v", a, made, err)
	}
}

// TestWithoutCudnn runs this test again where only the driver is found.
func TestWithoutCudnn(t *testing.T) {
	libs := os.Getenv("GOCAFFE_CUDA_LIBS")
	if os.Getenv("GOCAFFE_TEST_WITHOUT_CUDNN") != "" {
		d, err := Open(engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		op, in, out := searched()
		_, err = d.Prepare(op, in, out)
		fmt.Println("left to the host:", errors.Is(err, engine.ErrUnsupported), err)
		return
	}
	if _, err := os.Stat(filepath.Join(libs, "libcuda.so.1")); libs == "" || err != nil {
		t.Skip("GOCAFFE_CUDA_LIBS does not name the stand-ins (make fake-cuda)")
	}
	alone := t.TempDir()
	if err := os.Symlink(filepath.Join(libs, "libcuda.so.1"), filepath.Join(alone, "libcuda.so.1")); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0], "-test.run=^TestWithoutCudnn$", "-test.v")
	c.Env = append(os.Environ(), "GOCAFFE_TEST_WITHOUT_CUDNN=1", "GOCAFFE_CUDA_LIBS="+alone, "VIRTUAL_ENV=", "CONDA_PREFIX=", "CUDA_HOME=", "PATH=")
	text, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, want := range []string{"left to the host: false", "cuDNN (libcudnn.so.9", "install it (pip install nvidia-cudnn-cu12)"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("without cuDNN the op says\n%s\nwithout %q", text, want)
		}
	}
}

// TestLibraryFailure: what a library refuses at a launch is told by Sync, with its words.
func TestLibraryFailure(t *testing.T) {
	if os.Getenv("GOCAFFE_FAKECUDA_FAIL") != "" {
		d, s := open(t)
		op, in, out := searched()
		k, err := d.Prepare(op, in, out)
		if err != nil {
			t.Fatal(err)
		}
		args := &engine.Args{Out: []engine.Buffer{alloc(t, d, out[0].Bytes())}, Workspace: alloc(t, d, k.Workspace())}
		for _, i := range in {
			args.In = append(args.In, alloc(t, d, i.Bytes()))
		}
		s.Launch(k, args)
		fmt.Println("failed:", s.Sync())
		return
	}
	if os.Getenv("GOCAFFE_CUDA_LIBS") == "" {
		t.Skip("GOCAFFE_CUDA_LIBS does not name the stand-ins (make fake-cuda)")
	}
	c := exec.Command(os.Args[0], "-test.run=^TestLibraryFailure$", "-test.v")
	c.Env = append(os.Environ(), "GOCAFFE_FAKECUDA_FAIL=cudnnConvolutionForward@1=5000", searchVariable+"=heuristic")
	text, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(text), "cudnnConvolutionForward: CUDNN_STATUS_EXECUTION_FAILED (5000)") {
		t.Errorf("%v\n%s", err, text)
	}
}
