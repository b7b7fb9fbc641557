package decode

// Placing says how Place takes one channel out of a picture.
type Placing struct {
	Rows, Columns int
	Step, RowStep int // bytes from pixel to pixel and from row to row
	// Mean is subtracted: one value, or with MeanStep > 0 a mean image whose rows are MeanStep values apart.
	Mean     []float32
	MeanStep int
	Scale    float32
	Reverse  bool // mirrors the rows
}

// Place writes Rows x Columns values (byte − mean) · scale to dst, in two roundings as Caffe computes them. Dst, src and Mean must hold
// what p says: Place panics where one is too short.
func Place(dst []float32, src []byte, p Placing) {
	if p.Rows == 0 || p.Columns == 0 {
		return
	}
	_ = dst[p.Rows*p.Columns-1]
	_ = src[(p.Rows-1)*p.RowStep+(p.Columns-1)*p.Step]
	if p.MeanStep > 0 {
		_ = p.Mean[(p.Rows-1)*p.MeanStep+p.Columns-1]
	}
	place(dst, src, p)
}

// The rest is what pixels.c does, for builds without cgo and for the test that compares the two.

func placeGo(dst []float32, src []byte, p Placing) {
	for y := range p.Rows {
		row := dst[y*p.Columns:][:p.Columns]
		for x := range row {
			from, mean := x, p.Mean[0]
			if p.Reverse {
				from = p.Columns - 1 - x
			}
			if p.MeanStep > 0 {
				mean = p.Mean[y*p.MeanStep+from]
			}
			row[x] = (float32(src[y*p.RowStep+from*p.Step]) - mean) * p.Scale
		}
	}
}

// stretchGo resizes one row of size pixels; its values are 2048 times a pixel's.
func stretchGo(out []int32, row []byte, taps []tap, size, channels int) {
	for i, t := range taps {
		a, b := t.at*channels, min(t.at+1, size-1)*channels
		for c := range channels {
			out[i*channels+c] = int32(row[a+c])*t.w0 + int32(row[b+c])*t.w1
		}
	}
}

// blendGo weighs two stretched rows; the shifts are those of OpenCV's vector code.
func blendGo(out []byte, top, bottom []int32, w0, w1 int32) {
	top, bottom = top[:len(out)], bottom[:len(out)]
	for i := range out {
		out[i] = byte((w0*(top[i]>>4)>>16 + w1*(bottom[i]>>4)>>16 + 2) >> 2)
	}
}
