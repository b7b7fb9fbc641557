package cpu_test

import (
	"runtime"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

func BenchmarkOps(b *testing.B) {
	enginetest.OpenOrSkip(b, cpu.Name, engine.Config{})
	enginetest.Bench(b, cpu.Open)
}

// conv is a convolution of a known net.
type conv struct {
	name                                         string
	batch, in, size, out, kernel, stride, pad, g int
}

var convs = []conv{
	{"LeNet/conv1", 64, 1, 28, 20, 5, 1, 0, 1},
	{"LeNet/conv2", 64, 20, 12, 50, 5, 1, 0, 1},
	{"AlexNet/conv1", 32, 3, 227, 96, 11, 4, 0, 1},
	{"AlexNet/conv2", 32, 96, 27, 256, 5, 1, 2, 2},
	{"AlexNet/conv3", 32, 256, 13, 384, 3, 1, 1, 1},
	{"AlexNet/conv4", 32, 384, 13, 384, 3, 1, 1, 2},
	{"AlexNet/conv5", 32, 384, 13, 256, 3, 1, 1, 2},
}

// BenchmarkConv measures convolutions in the layouts that they prefer, forward and
// both backwards. On two cores with AVX-512 oneDNN itself reaches 420 to 510 GFLOP/s on
// AlexNet's, except for the data gradient of the first, which no net needs.
func BenchmarkConv(b *testing.B) {
	d := enginetest.OpenOrSkip(b, cpu.Name, engine.Config{})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, c := range convs {
		b.Run(c.name+"/forward", func(b *testing.B) { c.bench(b, d, c.forward()) })
		if c.in > 3 {
			b.Run(c.name+"/data", func(b *testing.B) { c.bench(b, d, c.gradData()) })
		}
		b.Run(c.name+"/weights", func(b *testing.B) { c.bench(b, d, c.gradWeights()) })
	}
}

func (c conv) forward() engine.Op {
	two := func(n int) engine.Ints { return engine.IntsOf(n, n) }
	return engine.Conv{Kernel: two(c.kernel), Stride: two(c.stride), Pad: two(c.pad), Dilation: two(1), Group: c.g}
}

func (c conv) gradData() engine.Op {
	f := c.forward().(engine.Conv)
	return engine.ConvGradData{Kernel: f.Kernel, Stride: f.Stride, Pad: f.Pad, Dilation: f.Dilation, Group: f.Group, Size: engine.IntsOf(c.size, c.size)}
}

func (c conv) gradWeights() engine.Op {
	f := c.forward().(engine.Conv)
	return engine.ConvGradWeights{Kernel: f.Kernel, Stride: f.Stride, Pad: f.Pad, Dilation: f.Dilation, Group: f.Group, Bias: true}
}

// inputs are the descriptors of op's inputs.
func (c conv) inputs(op engine.Op) []engine.Desc {
	o := (c.size+2*c.pad-c.kernel)/c.stride + 1
	x, y := engine.Dense(c.batch, c.in, c.size, c.size), engine.Dense(c.batch, c.out, o, o)
	w := engine.Dense(c.out, c.in/c.g, c.kernel, c.kernel)
	switch op.(type) {
	case engine.ConvGradData:
		return []engine.Desc{y, w}
	case engine.ConvGradWeights:
		return []engine.Desc{x, y}
	}
	return []engine.Desc{x, w}
}

func (c conv) bench(b *testing.B, d engine.Device, op engine.Op) {
	in := c.inputs(op)
	out, err := op.Infer(in)
	if err != nil {
		b.Fatal(err)
	}
	l := d.(engine.Layouter)
	in, out = l.Prefer(op, in, out)
	k, err := d.Prepare(op, in, out)
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	alloc := func(n int64) engine.Buffer {
		m, err := d.Alloc(n)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = m.Close() })
		return m
	}
	s, err := d.NewStream()
	if err != nil {
		b.Fatal(err)
	}
	args := &engine.Args{Workspace: alloc(k.Workspace())}
	for _, t := range in {
		args.In = append(args.In, alloc(l.Bytes(t)))
		s.Zero(args.In[len(args.In)-1])
	}
	for _, t := range out {
		args.Out = append(args.Out, alloc(l.Bytes(t)))
	}
	for b.Loop() {
		s.Launch(k, args)
	}
	if err := s.Sync(); err != nil {
		b.Fatal(err)
	}
	o := (c.size+2*c.pad-c.kernel)/c.stride + 1
	work := 2 * float64(c.batch*c.out*o*o) * float64(c.in/c.g*c.kernel*c.kernel)
	b.ReportMetric(work*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
