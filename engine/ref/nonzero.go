package ref

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareNonzero) }

func prepareNonzero(op engine.Nonzero, _, _ []engine.Desc) (compute, error) {
	return func(l *launch) error {
		found := 0
		for i, v := range l.in[0] {
			if v == 0 {
				continue
			}
			if found < op.Count {
				l.out[0][found] = float32(i)
			}
			found++
		}
		if found != op.Count {
			return fmt.Errorf("%d entries are not 0, the net is shaped for %d", found, op.Count)
		}
		return nil
	}, nil
}
