package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda"
)

// gpus are the device numbers of -gpu; -engine cuda alone is the first one.
func (f *flags) gpus() ([]int, error) {
	switch {
	case f.gpu == "" && f.engine == cuda.Name:
		return []int{0}, nil
	case f.gpu == "":
		return nil, nil
	case f.gpu == "all":
		return allGPUs()
	}
	var ids []int
	for _, s := range strings.Split(f.gpu, ",") {
		id, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || id < 0 {
			return nil, fatalf("caffe.cpp", 100, "-gpu %s: %q is no device number; give numbers separated by ',', or 'all'", f.gpu, s)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func allGPUs() ([]int, error) {
	n, err := cuda.Count()
	if err != nil {
		return nil, errNoGPU(err)
	}
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i
	}
	return ids, nil
}

// errNoGPU is an error in place of a silent run on the CPU, which would be taken for one on the GPU.
func errNoGPU(err error) error {
	return fatalf("common.cpp", 66, "Cannot use GPU: %w. Leave out -gpu and solver_mode: GPU to run on the CPU", err)
}

// gpuLog is what a command says about its GPUs.
type gpuLog struct {
	using  func(ids []int) error        // before they are opened
	opened func(ids []int, name string) // name is that of the first one
}

// openGPU opens the first of the GPUs.
func (a *app) openGPU(ids []int, say gpuLog) (engine.Device, error) {
	if e := a.flags.engine; e != "" && e != cuda.Name {
		return nil, fatalf("gocaffe.go", 1, "-gpu %s and -engine %s contradict each other; leave out one of them", a.flags.gpu, e)
	}
	if err := say.using(ids); err != nil {
		return nil, err
	}
	dev, err := engine.Open(cuda.Name, engine.Config{Index: ids[0], Precision: a.flags.precision, Warn: func(line string) {
		a.log.Warningf("gocaffe.go", 1, "%s", line)
	}})
	if err != nil {
		return nil, errNoGPU(err)
	}
	say.opened(ids, dev.Info().Name)
	return dev, nil
}

// firstGPU logs as test and time do, which take only the first device; named is where test tells its name, 0 for time.
func (a *app) firstGPU(line, named int) gpuLog {
	return gpuLog{
		using: func(ids []int) error {
			a.log.Infof("caffe.cpp", line, "Use GPU with device ID %d", ids[0])
			return nil
		},
		opened: func(_ []int, name string) {
			if named > 0 {
				a.log.Infof("caffe.cpp", named, "GPU device name: %s", name)
			}
		},
	}
}

// trainGPU logs as train does, and refuses what this program does not do yet.
func (a *app) trainGPU() gpuLog {
	return gpuLog{
		using: func(ids []int) error {
			var names []string
			for _, id := range ids {
				names = append(names, fmt.Sprint(id))
			}
			list := strings.Join(names, ", ")
			a.log.Infof("caffe.cpp", 204, "Using GPUs %s", list)
			if len(ids) > 1 {
				return fatalf("caffe.cpp", 245, "Multi-GPU execution not available: GPUs %s are asked for, this version trains on one; name one with -gpu", list)
			}
			return nil
		},
		opened: func(ids []int, name string) { a.log.Infof("caffe.cpp", 209, "GPU %d: %s", ids[0], name) },
	}
}

// queryGPU logs what Caffe's device_query does of a GPU.
func (a *app) queryGPU(id int) error {
	p, err := cuda.Query(id)
	if err != nil {
		return errNoGPU(err)
	}
	yes := []string{"No", "Yes"}
	three := func(d [3]int) string { return fmt.Sprintf("%d, %d, %d", d[0], d[1], d[2]) }
	for _, l := range []struct {
		line  int // of common.cpp
		name  string
		value any
	}{
		{178, "Device id:", p.Ordinal},
		{179, "Major revision number:", p.Major},
		{180, "Minor revision number:", p.Minor},
		{181, "Name:", p.Name},
		{182, "Total global memory:", p.Memory},
		{183, "Total shared memory per block:", p.SharedPerBlock},
		{184, "Total registers per block:", p.RegistersPerBlock},
		{185, "Warp size:", p.WarpSize},
		{186, "Maximum memory pitch:", p.MaxPitch},
		{187, "Maximum threads per block:", p.MaxThreadsPerBlock},
		{188, "Maximum dimension of block:", three(p.MaxBlock)},
		{191, "Maximum dimension of grid:", three(p.MaxGrid)},
		{194, "Clock rate:", p.ClockRate},
		{195, "Total constant memory:", p.ConstantMemory},
		{196, "Texture alignment:", p.TextureAlignment},
		{197, "Concurrent copy and execution:", yes[min(p.Overlap, 1)]},
		{199, "Number of multiprocessors:", p.Multiprocessors},
		{200, "Kernel execution timeout:", yes[min(p.KernelTimeout, 1)]},
	} {
		a.log.Infof("common.cpp", l.line, "%-30s %v", l.name, l.value)
	}
	return nil
}
