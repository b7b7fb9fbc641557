package null

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
)

func TestOver(t *testing.T) {
	dev, err := engine.Open(ref.Name, engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	o := Over(dev)
	if _, ok := o.(engine.Layouter); ok {
		t.Error("it has layouts, and the device under it has none")
	}
	if _, ok := Over(layouter{Device: dev}).(engine.Layouter); !ok {
		t.Error("the device's layouts are lost")
	}
	if got := o.Info(); got.Engine != ref.Name {
		t.Errorf("%+v is not the device under it", got)
	}
	if _, err := o.Alloc(1 << 60); err != nil {
		t.Error("memory that it does not take:", err)
	}
	if k, err := o.Prepare(engine.Permute{}, nil, nil); err == nil {
		t.Errorf("%T was prepared of nothing: the device under it was not asked", k)
	}
	d := engine.Dense(2, 3)
	if _, err := o.Prepare(engine.Unary{Fn: engine.ReLU}, []engine.Desc{d}, []engine.Desc{d}); err != nil {
		t.Error(err)
	}
}

type layouter struct {
	engine.Device
	engine.Layouter
}
