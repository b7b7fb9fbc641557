package ref

import "github.com/gocaffe/gocaffe/engine"

func init() { register(prepareOneHot) }

func prepareOneHot(op engine.OneHot, _, _ []engine.Desc) (compute, error) {
	read := labels{classes: op.Classes}
	return func(l *launch) error {
		label, y := l.in[0], l.out[0]
		for i := range y {
			y[i] = op.Off
		}
		for i := range label {
			class, _, err := read.class(label, i)
			if err != nil {
				return err
			}
			y[i*op.Classes+class] = op.On
		}
		return nil
	}, nil
}
