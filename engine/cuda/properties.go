package cuda

// Name is what the engine is registered as.
const Name = "cuda"

// Properties is what the driver knows of a GPU. Sizes are in bytes.
type Properties struct {
	Ordinal            int
	Name               string
	Major, Minor       int // compute capability
	Memory             int64
	SharedPerBlock     int
	RegistersPerBlock  int
	WarpSize           int
	MaxPitch           int
	MaxThreadsPerBlock int
	MaxBlock, MaxGrid  [3]int
	ClockRate          int // kHz
	ConstantMemory     int
	TextureAlignment   int
	Overlap            int // 1: copies and kernels run side by side
	Multiprocessors    int
	KernelTimeout      int // 1: a kernel that runs long is stopped
}
