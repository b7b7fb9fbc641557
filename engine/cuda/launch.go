//go:build cgo && linux

package cuda

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
	"github.com/gocaffe/gocaffe/engine/cuda/kernels"
)

// code is our own kernels, compiled for the GPU when the first is needed.
type code struct {
	mu        sync.Mutex
	module    *shim.Module
	functions map[string]*shim.Function
}

func (c *code) close() error {
	if c.module == nil {
		return nil
	}
	m := c.module
	c.module, c.functions = nil, nil
	return m.Close()
}

// function finds one of our kernels by name.
func (d *device) function(name string) (*shim.Function, error) {
	d.code.mu.Lock()
	defer d.code.mu.Unlock()
	if f, ok := d.code.functions[name]; ok {
		return f, nil
	}
	if d.code.module == nil {
		m, err := d.ctx.Load(kernels.PTX(d.capability))
		if err != nil {
			return nil, d.failed(err)
		}
		d.code.module, d.code.functions = m, map[string]*shim.Function{}
	}
	f, err := d.code.module.Function(name)
	if err != nil {
		return nil, d.failed(err)
	}
	d.code.functions[name] = f
	return f, nil
}

// launcher is one of our kernels with its grid.
type launcher struct {
	function    *shim.Function
	grid, block shim.Dim
	shared      uint32 // bytes of dynamic shared memory
}

// launcher finds a kernel and keeps how it is launched: blocks of threads along one
// axis. A kernel takes one struct by value.
func (d *device) launcher(name string, blocks, threads, shared int) (*launcher, error) {
	return d.launcher3(name, shim.Dim{uint32(blocks), 1, 1}, shim.Dim{uint32(threads), 1, 1}, shared)
}

// launcher3 is launcher with blocks and threads along three axes.
func (d *device) launcher3(name string, grid, block shim.Dim, shared int) (*launcher, error) {
	f, err := d.function(name)
	if err != nil {
		return nil, err
	}
	for i := range grid {
		if grid[i] == 0 || block[i] == 0 || i > 0 && grid[i] > 65535 {
			return nil, fmt.Errorf("cuda: %s: a grid of %v blocks of %v threads", name, grid, block)
		}
	}
	return &launcher{function: f, grid: grid, block: block, shared: uint32(shared)}, nil
}

// blockSize is how many threads a block of a kernel without shared memory has.
const blockSize = 256

// blocksFor is how many blocks of threads n elements need where each thread takes
// every total-th of them: enough to fill the GPU, and no more.
func (d *device) blocksFor(n, threads int) int {
	return max(1, min((n+threads-1)/threads, 32*d.sms*max(1, 256/threads)))
}

// start queues a kernel. args is the struct that the kernel takes: pointers are
// uint64, integers int32, uint32 or int64, numbers float32, laid out as in C.
func start[A any](l *launch, k *launcher, args *A) error {
	return l.queue.Launch(k.function, k.grid, k.block, k.shared, unsafe.Pointer(args), unsafe.Sizeof(*args))
}
