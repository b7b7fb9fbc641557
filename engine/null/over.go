package null

import "github.com/gocaffe/gocaffe/engine"

// Over is a device on which plans are those of dev: the same kernels, layouts and
// scratch. But its buffers take no memory and its streams run nothing, so that what a plan
// would take can be counted where there is not that much. Closing it leaves dev open.
func Over(dev engine.Device) engine.Device {
	o := &over{Device: New(), dev: dev}
	if l, ok := dev.(engine.Layouter); ok {
		return &overLayouter{o, l}
	}
	return o
}

type over struct {
	*Device
	dev engine.Device
}

// Info implements engine.Device.
func (o *over) Info() engine.Info { return o.dev.Info() }

// Prepare implements engine.Device.
func (o *over) Prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	return o.dev.Prepare(op, in, out)
}

type overLayouter struct {
	*over
	engine.Layouter
}
