package ref

import "github.com/gocaffe/gocaffe/engine"

func init() { register(preparePixels) }

func preparePixels(op engine.Pixels, in, _ []engine.Desc) (compute, error) {
	shape, mean := in[0].Shape, in[2].Shape
	n, size := shape[0], shape[1:].Count()
	return func(l *launch) error {
		for i := range n {
			window := l.in[1][i*engine.WindowSize:][:engine.WindowSize]
			op := picture{shape[1], shape[2], shape[3], op.Scale, l.in[2], mean}
			op.transform(l.out[0][i*size:][:size], l.in[0][i*size:][:size], window)
		}
		return nil
	}, nil
}

// picture is what the pictures of a batch have in common.
type picture struct {
	channels, height, width int
	scale                   float32
	mean                    []float32
	meanShape               engine.Shape
}

// transform writes one picture.
func (p picture) transform(y, bytes, window []float32) {
	for c := range p.channels {
		for row := range p.height {
			for column := range p.width {
				from := column
				if window[engine.WindowMirrored] != 0 {
					from = p.width - 1 - column
				}
				at := (c*p.height+row)*p.width + from
				if window[engine.WindowInterleaved] != 0 {
					at = (row*p.width+from)*p.channels + c
				}
				mean := p.meanAt(c, int(window[engine.WindowTop])+row, int(window[engine.WindowLeft])+from)
				y[(c*p.height+row)*p.width+column] = (bytes[at] - mean) * p.scale
			}
		}
	}
}

// meanAt is the mean of a channel at a place of the mean image.
func (p picture) meanAt(c, row, column int) float32 {
	if len(p.meanShape) == 1 {
		return p.mean[c]
	}
	return p.mean[(c*p.meanShape[1]+row)*p.meanShape[2]+column]
}
