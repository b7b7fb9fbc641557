//go:build cgo && linux

package shim

/*
#include <stdlib.h>
#include "dl.h"
#include "driver.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// MinDriver is the oldest driver that has all that we call: CUDA 11.4's, of July 2021.
const MinDriver = 11040

// Driver is NVIDIA's driver, open and initialised.
type Driver struct {
	*library
	version int // 12040 for CUDA 12.4
	devices int

	mu       sync.Mutex
	contexts map[int]*Context
}

// The driver's answers that we tell apart (CUresult).
const (
	codeOutOfMemory    = 2
	codeStub           = 34
	codeNoDevice       = 100
	codeDeviceNotValid = 101
	codeNotReady       = 802
	codeMismatch       = 803
	codeNotCompatible  = 804
	codeUnknown        = 999
)

// OpenDriver finds libcuda.so.1 and initialises it, once. Each thing that can be
// missing has its own error: the driver, a GPU, a driver that is young enough.
func OpenDriver() (*Driver, error) { return openDriver() }

var openDriver = sync.OnceValues(func() (*Driver, error) {
	const advice = "install NVIDIA's driver (nvidia-smi then lists the GPUs); in a container, start it with --gpus all"
	lib, err := open(wanted{"NVIDIA's driver", []string{"libcuda.so.1"}, nil, advice})
	if err != nil {
		return nil, fmt.Errorf("no NVIDIA driver: %w", err)
	}
	C.gc_driver_use(lib.handle)
	d := &Driver{library: lib, contexts: map[int]*Context{}}
	var version, devices C.int
	if err := d.opening("cuDriverGetVersion", C.gc_cuDriverGetVersion(&version)); err != nil {
		return nil, err
	}
	if d.version = int(version); d.version < MinDriver {
		return nil, fmt.Errorf("the driver (%s) is too old: it knows CUDA %s, CUDA %s is needed; install NVIDIA's driver 470 or newer",
			lib.path, cudaVersion(d.version), cudaVersion(MinDriver))
	}
	if err := d.opening("cuInit", C.gc_cuInit(0)); err != nil {
		return nil, err
	}
	if err := d.opening("cuDeviceGetCount", C.gc_cuDeviceGetCount(&devices)); err != nil {
		return nil, err
	}
	if d.devices = int(devices); devices == 0 {
		return nil, d.opening("", codeNoDevice)
	}
	return d, nil
})

// opening words the answers of a driver that does not start: what they mean and what to do.
func (d *Driver) opening(call string, r C.CUresult) error {
	switch r {
	case codeStub:
		return fmt.Errorf("no NVIDIA driver: %s is the CUDA toolkit's stub for linkers; take its folder out of LD_LIBRARY_PATH and GOCAFFE_CUDA_LIBS, and install NVIDIA's driver where nvidia-smi is missing too", d.path)
	case codeNoDevice:
		return fmt.Errorf("the driver (%s) is there, but it sees no GPU; look at nvidia-smi and at CUDA_VISIBLE_DEVICES; in a container, start it with --gpus all", d.path)
	}
	err := d.check(call, r)
	if advice, ok := startAdvice[int(r)]; ok {
		return fmt.Errorf("the driver (%s) does not start: %w; %s", d.path, err, advice)
	}
	return err
}

// startAdvice says what to do about codes of cuInit.
var startAdvice = map[int]string{
	codeNotReady:       "on a machine with NVSwitch, start the service nvidia-fabricmanager",
	codeMismatch:       "the library and the kernel's module are of different versions: restart the machine, or install both anew",
	codeNotCompatible:  "the forward-compatibility package (cuda-compat) does not work with this GPU: take its libcuda.so.1 out of LD_LIBRARY_PATH",
	codeUnknown:        "look whether nvidia-smi works and whether /dev/nvidia-uvm is there; after an update or a suspend, load the module nvidia_uvm anew or restart the machine",
	codeDeviceNotValid: "look at nvidia-smi and at CUDA_VISIBLE_DEVICES",
}

// cudaVersion words CUDA's way of numbering.
func cudaVersion(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

// Major is the newest major version of CUDA whose libraries the driver runs.
func (d *Driver) Major() int { return d.version / 1000 }

// Devices is the number of GPUs.
func (d *Driver) Devices() int { return d.devices }

// Info describes the driver for device_query.
func (d *Driver) Info() engine.Library {
	i := d.info("CUDA " + cudaVersion(d.version))
	i.Name = "NVIDIA driver (libcuda)"
	return i
}

// Error is a call that the driver or a library refused.
type Error struct {
	Call string // the C function
	Code int    // CUresult, cudnnStatus_t, …
	Name string // the code's name
	Text string // the library's words
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s (%d)", e.Call, e.Name, e.Code)
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// Lost reports whether the GPU's context is broken: the driver answers every later
// call with the error, and only a new process can go on.
func (e *Error) Lost() bool {
	return slices.Contains(lostCodes, e.Code)
}

// lostCodes are those that stick to a context.
var lostCodes = []int{46, 214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, codeUnknown}

// SymbolError is a function that an open library lacks.
type SymbolError struct{ Library, Path, Symbol string }

func (e *SymbolError) Error() string {
	return fmt.Sprintf("%s (%s) has no function %s; it is too old or incomplete: install a newer one", e.Library, e.Path, e.Symbol)
}

// check makes an error of a status.
func (d *Driver) check(call string, r C.CUresult) error {
	if r == 0 {
		return nil
	}
	if r <= C.GC_MISSING {
		return d.lacks(C.GoString(C.gc_driver_symbol(C.GC_MISSING - r)))
	}
	e := &Error{Call: call, Code: int(r), Name: "status"}
	var text *C.char
	if C.gc_cuGetErrorName(r, &text) == 0 && text != nil {
		e.Name = C.GoString(text)
	}
	if text = nil; C.gc_cuGetErrorString(r, &text) == 0 && text != nil {
		e.Text = C.GoString(text)
	}
	return e
}

// lacks is the error of a symbol that the library has not.
func (l *library) lacks(symbol string) error {
	return &SymbolError{Library: l.name, Path: l.path, Symbol: symbol}
}

// Attribute is a CUdevice_attribute.
type Attribute int

// The attributes that we ask for.
const (
	MaxThreadsPerBlock  Attribute = 1
	MaxBlockX           Attribute = 2 // Y and Z follow
	MaxGridX            Attribute = 5
	SharedPerBlock      Attribute = 8
	ConstantMemory      Attribute = 9
	WarpSize            Attribute = 10
	MaxPitch            Attribute = 11
	RegistersPerBlock   Attribute = 12
	ClockRate           Attribute = 13 // kHz
	TextureAlignment    Attribute = 14
	Overlap             Attribute = 15
	Multiprocessors     Attribute = 16
	KernelTimeout       Attribute = 17
	CapabilityMajor     Attribute = 75
	CapabilityMinor     Attribute = 76
	SharedPerBlockOptin Attribute = 97
)

// Context is a GPU's primary context, which the libraries use too.
type Context struct {
	*Driver
	Ordinal int
	Name    string
	Memory  int64 // all of the GPU's
	c       C.CUcontext
	dev     C.CUdevice
}

// Context is the primary context of a GPU. It stays for the life of the process:
// threads remember which one is theirs, and to make one takes seconds.
func (d *Driver) Context(ordinal int) (*Context, error) {
	if ordinal < 0 || ordinal >= d.devices {
		return nil, fmt.Errorf("there is no GPU %d: the driver sees %d, numbered from 0", ordinal, d.devices)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.contexts[ordinal]; ok {
		return c, nil
	}
	c := &Context{Driver: d, Ordinal: ordinal}
	if err := c.open(); err != nil {
		return nil, err
	}
	d.contexts[ordinal] = c
	return c, nil
}

func (c *Context) open() error {
	if err := c.check("cuDeviceGet", C.gc_cuDeviceGet(&c.dev, C.int(c.Ordinal))); err != nil {
		return err
	}
	var name [256]C.char
	if err := c.check("cuDeviceGetName", C.gc_cuDeviceGetName(&name[0], C.int(len(name)), c.dev)); err != nil {
		return err
	}
	c.Name = C.GoString(&name[0])
	var total C.size_t
	if err := c.check("cuDeviceTotalMem", C.gc_cuDeviceTotalMem_v2(&total, c.dev)); err != nil {
		return err
	}
	c.Memory = int64(total)
	return c.check("cuDevicePrimaryCtxRetain", C.gc_cuDevicePrimaryCtxRetain(&c.c, c.dev))
}

// Attribute asks the GPU for a number.
func (c *Context) Attribute(a Attribute) (int, error) {
	var v C.int
	err := c.check("cuDeviceGetAttribute", C.gc_cuDeviceGetAttribute(&v, C.int(a), c.dev))
	return int(v), err
}

// Capability is the compute capability, 80 for 8.0.
func (c *Context) Capability() (int, error) {
	major, err := c.Attribute(CapabilityMajor)
	if err != nil {
		return 0, err
	}
	minor, err := c.Attribute(CapabilityMinor)
	return 10*major + minor, err
}

// maxLog is how much of the PTX compiler's words is kept.
const maxLog = 8192

// Module is loaded code.
type Module struct {
	ctx *Context
	c   C.CUmodule
}

// Load compiles PTX for the GPU. The compiler's log is in the error.
func (c *Context) Load(ptx string) (*Module, error) {
	text := C.CString(ptx)
	defer C.free(unsafe.Pointer(text))
	log := (*C.char)(C.calloc(1, maxLog))
	defer C.free(unsafe.Pointer(log))
	m := &Module{ctx: c}
	if err := c.check("cuModuleLoadDataEx", C.gc_load_module(c.c, &m.c, text, log, maxLog)); err != nil {
		if said := C.GoString(log); said != "" {
			err = fmt.Errorf("%w; the driver's PTX compiler says: %s", err, said)
		}
		return nil, err
	}
	return m, nil
}

// Close unloads the code.
func (m *Module) Close() error {
	return m.ctx.check("cuModuleUnload", C.gc_cuModuleUnload(m.ctx.c, m.c))
}

// Function is a kernel of a module.
type Function struct {
	Name string
	c    C.CUfunction
}

// Function finds a kernel by name.
func (m *Module) Function(name string) (*Function, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	f := &Function{Name: name}
	err := m.ctx.check("cuModuleGetFunction("+name+")", C.gc_cuModuleGetFunction(m.ctx.c, &f.c, m.c, text))
	return f, err
}
