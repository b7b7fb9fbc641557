package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareReshape)
	register(prepareReorder)
	register(prepareFill)
}

func prepareReshape(engine.Reshape, []engine.Desc, []engine.Desc) (compute, error) {
	return copyTensor, nil
}

// prepareReorder knows one layout, so a reorder is a copy.
func prepareReorder(engine.Reorder, []engine.Desc, []engine.Desc) (compute, error) {
	return copyTensor, nil
}

func copyTensor(l *launch) error {
	copy(l.out[0], l.in[0])
	return nil
}

func prepareFill(op engine.Fill, _, _ []engine.Desc) (compute, error) {
	return func(l *launch) error {
		for i := range l.out[0] {
			l.out[0][i] = op.Value
		}
		return nil
	}, nil
}
