//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Update, c *call) *C.gc_kernel {
		u := C.gc_update{
			rule: C.int32_t(op.Rule), l1: cbool(op.L1), keep_step: cbool(op.KeepStep),
			hyper_rate: engine.HyperRate, hyper_scale: engine.HyperScale,
			hyper_correction: engine.HyperCorrection, hyper_clip: engine.HyperClip,
			rate: C.float(op.Rate), decay: C.float(op.Decay),
			momentum: C.float(op.Momentum), momentum2: C.float(op.Momentum2),
			rms_decay: C.float(op.RMSDecay), delta: C.float(op.Delta),
		}
		return C.gc_prepare_update(&u, c.io, &c.err)
	})
}
