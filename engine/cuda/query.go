//go:build cgo && linux

package cuda

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// Count is the number of GPUs. Without a driver or a GPU it is the error that Open
// would give.
func Count() (int, error) {
	d, err := shim.OpenDriver()
	if err != nil {
		return 0, fmt.Errorf("cuda: %w", err)
	}
	return d.Devices(), nil
}

// Query tells what the driver knows of a GPU.
func Query(ordinal int) (Properties, error) {
	d, err := shim.OpenDriver()
	if err != nil {
		return Properties{}, fmt.Errorf("cuda: %w", err)
	}
	c, err := d.Context(ordinal)
	if err != nil {
		return Properties{}, fmt.Errorf("cuda: %w", err)
	}
	p := Properties{Ordinal: ordinal, Name: c.Name, Memory: c.Memory}
	for _, a := range []struct {
		to  *int
		get shim.Attribute
	}{
		{&p.Major, shim.CapabilityMajor}, {&p.Minor, shim.CapabilityMinor},
		{&p.SharedPerBlock, shim.SharedPerBlock}, {&p.RegistersPerBlock, shim.RegistersPerBlock},
		{&p.WarpSize, shim.WarpSize}, {&p.MaxPitch, shim.MaxPitch}, {&p.MaxThreadsPerBlock, shim.MaxThreadsPerBlock},
		{&p.MaxBlock[0], shim.MaxBlockX}, {&p.MaxBlock[1], shim.MaxBlockX + 1}, {&p.MaxBlock[2], shim.MaxBlockX + 2},
		{&p.MaxGrid[0], shim.MaxGridX}, {&p.MaxGrid[1], shim.MaxGridX + 1}, {&p.MaxGrid[2], shim.MaxGridX + 2},
		{&p.ClockRate, shim.ClockRate}, {&p.ConstantMemory, shim.ConstantMemory}, {&p.TextureAlignment, shim.TextureAlignment},
		{&p.Overlap, shim.Overlap}, {&p.Multiprocessors, shim.Multiprocessors}, {&p.KernelTimeout, shim.KernelTimeout},
	} {
		if *a.to, err = c.Attribute(a.get); err != nil {
			return Properties{}, fmt.Errorf("cuda: GPU %d (%s): %w", ordinal, c.Name, err)
		}
	}
	return p, nil
}

// Libraries looks for all of NVIDIA's libraries and tells of each where it is, or why
// it cannot be used and what that costs.
func Libraries() []engine.Library {
	driver, err := shim.OpenDriver()
	if err != nil {
		return []engine.Library{{Name: "NVIDIA driver", Missing: err.Error()}}
	}
	list := []engine.Library{driver.Info()}
	if dnn, err := shim.OpenCudnn(); err != nil {
		list = append(list, engine.Library{Name: "cuDNN", Missing: err.Error() + "; without it there are no convolutions on the GPU"})
	} else {
		list = append(list, dnn.Info())
	}
	if blas, err := shim.OpenCublasLt(); err != nil {
		list = append(list, engine.Library{Name: "cuBLASLt", Missing: err.Error() + "; without it there are no matrix products on the GPU"})
	} else {
		list = append(list, blas.Info())
	}
	list = append(list, shim.Companions()...)
	if nccl, err := shim.OpenNccl(); err != nil {
		list = append(list, engine.Library{Name: "NCCL", Missing: err.Error() + "; one GPU needs none"})
	} else {
		list = append(list, nccl.Info())
	}
	return list
}
