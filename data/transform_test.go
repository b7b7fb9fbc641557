package data

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// value is what DT-01 says about one output value, in the arithmetic of Caffe's loop.
func value(t *transform, p *picture, c, y, x int) float32 {
	at := (c*p.height+y)*p.width + x
	mean, v := at, float32(0)
	switch {
	case p.bytes == nil:
		v = p.floats[at]
	case p.interleaved:
		v = float32(p.bytes[(y*p.width+x)*p.channels+c])
	default:
		v = float32(p.bytes[at])
	}
	switch {
	case t.mean != nil:
		return (v - t.mean[mean]) * t.scale
	case len(t.values) == 1:
		return (v - t.values[0]) * t.scale
	case len(t.values) > 1:
		return (v - t.values[c]) * t.scale
	}
	return v * t.scale
}

func randomPicture(r *rand.Rand) *picture {
	p := &picture{channels: 1 + r.IntN(4), height: 1 + r.IntN(9), width: 1 + r.IntN(9), interleaved: r.IntN(2) == 0}
	n := p.channels * p.height * p.width
	if r.IntN(3) == 0 {
		p.interleaved = false
		for range n {
			p.floats = append(p.floats, float32(r.NormFloat64()))
		}
		return p
	}
	for range n {
		p.bytes = append(p.bytes, byte(r.Uint32()))
	}
	return p
}

func randomTransform(r *rand.Rand, p *picture) *transform {
	t := &transform{mirror: r.IntN(2) == 0, train: r.IntN(2) == 0, scale: r.Float32()}
	if r.IntN(2) == 0 {
		t.crop = 1 + r.IntN(min(p.height, p.width))
		t.cut = [2]int{t.crop, t.crop}
	}
	switch r.IntN(4) {
	case 0:
		t.meanDims = dims{p.channels, p.height, p.width}
		for range t.meanDims.count() {
			t.mean = append(t.mean, r.Float32()*255)
		}
	case 1:
		t.values = []float32{r.Float32() * 255}
	case 2:
		for range p.channels {
			t.values = append(t.values, r.Float32()*255)
		}
	}
	return t
}

// All ways through the transform give what the definition gives.
func TestTransformEqualsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		p := randomPicture(r)
		tr := randomTransform(r, p)
		out, err := tr.result(p)
		if err != nil {
			t.Fatal(err)
		}
		d := tr.draw(r.Uint32)
		dst := make([]float32, out.count())
		tr.apply(dst, p, out, d)
		top, left := (p.height-out[1])/2, (p.width-out[2])/2
		if tr.train && tr.crop > 0 {
			top, left = int(d.top)%(p.height-tr.crop+1), int(d.left)%(p.width-tr.crop+1)
		}
		for i, got := range dst {
			c, y, x := i/(out[1]*out[2]), i/out[2]%out[1], i%out[2]
			if tr.mirror && d.mirror%2 == 1 {
				x = out[2] - 1 - x
			}
			if want := value(tr, p, c, top+y, left+x); got != want {
				t.Fatalf("case %d (%s), value %d: %v, want %v", n, fmt.Sprint(tr.crop, tr.mirror, tr.train, p.interleaved, len(tr.values)), i, got, want)
			}
		}
	}
}

// What a layer draws does not depend on its pictures: resuming counts on it.
func TestDrawsPerRecord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		tr := randomTransform(r, randomPicture(r))
		n := int64(0)
		tr.draw(func() uint32 { n++; return 0 })
		if want := tr.drawsPerRecord(); n != want || tr.random() != (n > 0) {
			t.Errorf("%+v: %d numbers drawn, %d announced, random %v", tr, n, want, tr.random())
		}
	}
}
