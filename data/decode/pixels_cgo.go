//go:build cgo

package decode

/*
#cgo CFLAGS: -O3
#include "pixels.h"
*/
import "C"

import "unsafe"

func stretch(out []int32, row []byte, taps []tap, size, channels int) {
	C.pixels_stretch((*C.int32_t)(&out[0]), (*C.uint8_t)(&row[0]), (*C.pixels_tap)(unsafe.Pointer(&taps[0])), C.int(len(taps)), C.int(size), C.int(channels))
}

func blend(out []byte, top, bottom []int32, w0, w1 int32) {
	C.pixels_blend((*C.uint8_t)(&out[0]), (*C.int32_t)(&top[0]), (*C.int32_t)(&bottom[0]), C.int(len(out)), C.int32_t(w0), C.int32_t(w1))
}

func place(dst []float32, src []byte, p Placing) {
	reverse := C.int(0)
	if p.Reverse {
		reverse = 1
	}
	C.pixels_place((*C.float)(&dst[0]), (*C.uint8_t)(&src[0]), C.int(p.Rows), C.int(p.Columns), C.intptr_t(p.Step), C.intptr_t(p.RowStep),
		(*C.float)(&p.Mean[0]), C.intptr_t(p.MeanStep), C.float(p.Scale), reverse)
}
