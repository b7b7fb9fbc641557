package ref

import "github.com/gocaffe/gocaffe/engine"

// epilogue is an engine.Epilogue with its tensors.
type epilogue struct {
	bias, add []float32
	relu      bool
	slope     float64
	clip      bool
	low, high float64
}

// newEpilogue takes the extra inputs that follow an op's own.
func newEpilogue(e engine.Epilogue, extra [][]float32) epilogue {
	f := epilogue{relu: e.Act == engine.ActReLU, slope: float64(e.Slope), clip: e.Act == engine.ActClip, low: float64(e.Low), high: float64(e.High)}
	if e.Bias {
		f.bias, extra = extra[0], extra[1:]
	}
	if e.Add {
		f.add = extra[0]
	}
	return f
}

// at finishes element i, which belongs to the given channel.
func (f *epilogue) at(v float64, channel, i int) float32 {
	if f.bias != nil {
		v += float64(f.bias[channel])
	}
	if f.add != nil {
		v += float64(f.add[i])
	}
	if f.relu {
		v = max(v, 0) + f.slope*min(v, 0)
	}
	if f.clip {
		v = min(max(v, f.low), f.high)
	}
	return float32(v)
}
