// Package kernels holds the source of the CUDA engine's own kernels, and the PTX
// that clang made of it (make ptx). dev.h says how a kernel is written; module.cu
// is all of them, for the device and for the host.
package kernels

import _ "embed"

//go:generate ./ptx.sh .

var (
	//go:embed sm_70.ptx
	volta string
	//go:embed sm_80.ptx
	ampere string
)

// PTX is the text of all kernels for a GPU of the given compute capability, 80
// for 8.0. The driver compiles it for GPUs of that kind and newer ones. The oldest
// that it is made for is 70.
func PTX(capability int) string {
	if capability >= 80 {
		return ampere
	}
	return volta
}
