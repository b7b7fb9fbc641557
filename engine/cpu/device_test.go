package cpu_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/engine/ref"
)

func open(t *testing.T, c engine.Config) engine.Device {
	t.Helper()
	enginetest.OpenOrSkip(t, cpu.Name, engine.Config{})
	return enginetest.OpenOrSkip(t, cpu.Name, c)
}

// tensor is device memory holding the values.
func tensor(t *testing.T, d engine.Device, v ...float32) engine.Buffer {
	t.Helper()
	b, err := d.Alloc(int64(4 * len(v)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	copy(unsafe.Slice((*float32)(b.Host()), len(v)), v)
	return b
}

func stream(t *testing.T, d engine.Device) engine.Stream {
	t.Helper()
	s, err := d.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []engine.Config{{Precision: "tf32"}, {Precision: "half"}, {Threads: -1}} {
		if d, err := cpu.Open(c); err == nil {
			t.Errorf("%+v opened %v", c, d)
		}
	}
}

func TestInfo(t *testing.T) {
	info := open(t, engine.Config{Threads: 1}).Info()
	if info.Threads != 1 || info.Name == "" || len(info.Libraries) != 2 {
		t.Errorf("info is %+v", info)
	}
	for _, l := range info.Libraries {
		if !strings.Contains(l.Path, "/lib") {
			t.Errorf("library %s is at %q", l.Name, l.Path)
		}
	}
	if open(t, engine.Config{}).Info().Threads != min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) {
		t.Error("the default is not one thread a processor")
	}
}

func TestAlloc(t *testing.T) {
	d := open(t, engine.Config{})
	if _, err := d.Alloc(1 << 60); !errors.Is(err, engine.ErrMemory) {
		t.Errorf("an exabyte gives %v, want ErrMemory", err)
	}
	if _, err := d.Alloc(-1); err == nil {
		t.Error("a negative size is no error")
	}
	if at := uintptr(tensor(t, d, 1, 2, 3).Host()); at%engine.Align != 0 {
		t.Errorf("memory at %#x is not aligned", at)
	}
}

func TestPrepareRefuses(t *testing.T) {
	d := open(t, engine.Config{})
	half := engine.Desc{DType: engine.BF16, Shape: engine.Shape{2, 3}}
	for name, c := range map[string]struct {
		op          engine.Op
		in, out     []engine.Desc
		unsupported bool
	}{
		"bf16":        {engine.Unary{}, []engine.Desc{half}, []engine.Desc{half}, true},
		"empty":       {engine.Unary{}, []engine.Desc{engine.Dense(0, 3)}, []engine.Desc{engine.Dense(0, 3)}, true},
		"many axes":   {engine.Unary{}, []engine.Desc{engine.Dense(make13()...)}, []engine.Desc{engine.Dense(make13()...)}, true},
		"no kernel":   {engine.ArgMax{TopK: 1}, []engine.Desc{engine.Dense(2, 3)}, []engine.Desc{engine.Dense(2, 1, 1)}, true},
		"inputs":      {engine.Binary{}, []engine.Desc{engine.Dense(2)}, []engine.Desc{engine.Dense(2)}, false},
		"output size": {engine.Unary{}, []engine.Desc{engine.Dense(2, 3)}, []engine.Desc{engine.Dense(3, 2)}, false},
		"outputs":     {engine.Unary{}, []engine.Desc{engine.Dense(2, 3)}, nil, false},
	} {
		k, err := d.Prepare(c.op, c.in, c.out)
		if err == nil || k != nil || errors.Is(err, engine.ErrUnsupported) != c.unsupported {
			t.Errorf("%s: kernel %v, error %v", name, k, err)
		}
	}
}

func make13() []int {
	s := make([]int, 13)
	for i := range s {
		s[i] = 1
	}
	return s
}

// TestLabelError checks that a label that is no class fails the stream until Sync,
// and nothing after it runs.
func TestLabelError(t *testing.T) {
	d := open(t, engine.Config{})
	s := stream(t, d)
	op := engine.SoftmaxLoss{Axis: 1}
	k, err := d.Prepare(op, []engine.Desc{engine.Dense(2, 3), engine.Dense(2)}, []engine.Desc{engine.Dense(), engine.Dense(2, 3)})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	y := tensor(t, d, 7)
	s.Launch(k, &engine.Args{
		In:  []engine.Buffer{tensor(t, d, 1, 2, 3, 4, 5, 6), tensor(t, d, 2, 3)},
		Out: []engine.Buffer{y, tensor(t, d, make([]float32, 6)...)},
	})
	s.Zero(y)
	var label *engine.LabelError
	if err := s.Sync(); !errors.As(err, &label) || label.Item != 1 || label.Label != 3 || label.Classes != 3 {
		t.Errorf("label 3 of 3 classes gives %v", err)
	}
	if got := *(*float32)(y.Host()); got != 7 {
		t.Errorf("the stream went on after the failure: y is %g", got)
	}
	if err := s.Sync(); err != nil {
		t.Errorf("the error stays after Sync: %v", err)
	}
}

func TestLaunchRefuses(t *testing.T) {
	d := open(t, engine.Config{})
	s := stream(t, d)
	k, err := d.Prepare(engine.Unary{}, []engine.Desc{engine.Dense(2)}, []engine.Desc{engine.Dense(2)})
	if err != nil {
		t.Fatal(err)
	}
	other, err := ref.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Alloc(8)
	if err != nil {
		t.Fatal(err)
	}
	foreignKernel, err := ref.Prepare(engine.Unary{}, []engine.Desc{engine.Dense(2)}, []engine.Desc{engine.Dense(2)})
	if err != nil {
		t.Fatal(err)
	}
	x := tensor(t, d, 1, 2)
	for name, launch := range map[string]func(){
		"no output":      func() { s.Launch(k, &engine.Args{In: []engine.Buffer{x}}) },
		"foreign memory": func() { s.Launch(k, &engine.Args{In: []engine.Buffer{foreign}, Out: []engine.Buffer{x}}) },
		"foreign kernel": func() { s.Launch(foreignKernel, &engine.Args{In: []engine.Buffer{x}, Out: []engine.Buffer{x}}) },
		"copy in":        func() { s.CopyIn(x, make([]byte, 9)) },
		"copy out":       func() { s.CopyOut(make([]byte, 9), x) },
		"zero":           func() { s.Zero(foreign) },
	} {
		launch()
		if err := s.Sync(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestGoroutines launches from goroutines that move between threads, each of which
// must have the device's number of OpenMP threads.
func TestGoroutines(t *testing.T) {
	d := open(t, engine.Config{Threads: 2})
	const n = 1 << 16
	k, err := d.Prepare(engine.Unary{Fn: engine.Power, A: 1, B: 2, C: 1}, []engine.Desc{engine.Dense(n)}, []engine.Desc{engine.Dense(n)})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	x := tensor(t, d, make([]float32, n)...)
	s := stream(t, d)
	for range 8 {
		done := make(chan struct{})
		go func() {
			runtime.LockOSThread() // the thread ends with the goroutine
			s.Launch(k, &engine.Args{In: []engine.Buffer{x}, Out: []engine.Buffer{x}})
			close(done)
		}()
		<-done
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	for i, v := range unsafe.Slice((*float32)(x.Host()), n) {
		if v != 255 {
			t.Fatalf("element %d is %g, want 255", i, v)
		}
	}
}

// TestThreads checks that results do not depend on how often they are computed, and
// hardly on the number of threads.
func TestThreads(t *testing.T) {
	op := engine.BroadcastGrad{Fn: engine.BroadcastAdd, Axis: 1, Rank: 1}
	x := make([]float32, 64*4096)
	for i := range x {
		x[i] = float32(i%7) - 3
	}
	var first []float32
	for _, threads := range []int{1, 2, 3, 1} {
		d := open(t, engine.Config{Threads: threads})
		k, err := d.Prepare(op, []engine.Desc{engine.Dense(64, 4096)}, []engine.Desc{engine.Dense(4096)})
		if err != nil {
			t.Fatal(err)
		}
		y := tensor(t, d, make([]float32, 4096)...)
		s := stream(t, d)
		s.Launch(k, &engine.Args{In: []engine.Buffer{tensor(t, d, x...)}, Out: []engine.Buffer{y}})
		if err := errors.Join(s.Sync(), k.Close()); err != nil {
			t.Fatal(err)
		}
		got := unsafe.Slice((*float32)(y.Host()), 4096)
		if first == nil {
			first = append(first, got...)
		}
		for i := range got {
			if got[i] != first[i] {
				t.Fatalf("%d threads: element %d is %g, with one thread %g", threads, i, got[i], first[i])
			}
		}
	}
}

// TestLayouts checks what a layout takes and is called: 20 channels in blocks of 16 take
// the memory of 32, and a convolution of 20 channels takes them channels-last instead.
func TestLayouts(t *testing.T) {
	d := open(t, engine.Config{})
	l, ok := d.(engine.Layouter)
	if !ok {
		t.Fatal("the device has no layouts")
	}
	conv := func(in, out int) (x, w, y engine.Desc) {
		one := engine.IntsOf(1, 1)
		op := engine.Conv{Kernel: engine.IntsOf(5, 5), Stride: one, Pad: engine.IntsOf(0, 0), Dilation: one, Group: 1}
		pin, pout := l.Prefer(op, []engine.Desc{engine.Dense(64, in, 12, 12), engine.Dense(out, in, 5, 5)}, []engine.Desc{engine.Dense(64, out, 8, 8)})
		return pin[0], pin[1], pout[0]
	}
	x, w, y := conv(32, 64)
	for _, d := range []engine.Desc{x, w, y} {
		if d.Layout == engine.Plain || l.Bytes(d) != d.Bytes() {
			t.Errorf("%v in %s takes %d bytes, want %d in a layout of the engine's", d.Shape, l.LayoutName(d.Layout), l.Bytes(d), d.Bytes())
		}
	}
	block := map[string]int64{"nChw16c": 16, "nChw8c": 8}[l.LayoutName(x.Layout)]
	if block == 0 {
		t.Skipf("oneDNN prefers %s on this processor", l.LayoutName(x.Layout))
	}
	x.Shape = engine.Shape{64, 20, 12, 12}
	if got, want := l.Bytes(x), 64*144*4*((20+block-1)/block*block); got != want {
		t.Errorf("20 channels in %s take %d bytes, want %d", l.LayoutName(x.Layout), got, want)
	}
	if x, _, _ := conv(20, 50); block == 16 && l.LayoutName(x.Layout) != "nhwc" {
		t.Errorf("20 channels are read in %s", l.LayoutName(x.Layout))
	}
	if x, _, _ := conv(1, 20); x.Layout != engine.Plain {
		t.Errorf("one channel is read in %s", l.LayoutName(x.Layout))
	}
	if got := l.LayoutName(engine.Plain); got != "plain" {
		t.Errorf("plain is called %q", got)
	}
}
