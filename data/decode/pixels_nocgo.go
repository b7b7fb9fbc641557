//go:build !cgo

package decode

func stretch(out []int32, row []byte, taps []tap, size, channels int) {
	stretchGo(out, row, taps, size, channels)
}

func blend(out []byte, top, bottom []int32, w0, w1 int32) { blendGo(out, top, bottom, w0, w1) }

func place(dst []float32, src []byte, p Placing) { placeGo(dst, src, p) }
