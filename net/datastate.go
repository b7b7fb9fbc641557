package net

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// DataState is the position of all data sources: a JSON object of each data
// layer's state by the layer's name.
func (n *Net) DataState() ([]byte, error) {
	states := map[string][]byte{}
	for _, s := range n.sources {
		state, err := s.State()
		if err != nil {
			return nil, s.layer.Errorf("%w", err)
		}
		states[s.layer.GetName()] = state
	}
	return json.Marshal(states)
}

// RestoreData continues all data sources where DataState was taken. A layer
// that the state does not know starts where it is, which is an error.
func (n *Net) RestoreData(state []byte) error {
	states := map[string][]byte{}
	if err := json.Unmarshal(state, &states); err != nil {
		return fmt.Errorf("net %s: the saved position of its data is damaged: %w", n.Name(), err)
	}
	for _, i := range slices.Sorted(maps.Keys(n.sources)) {
		s := n.sources[i]
		saved, ok := states[s.layer.GetName()]
		if !ok {
			return s.layer.Errorf("the saved position of the data knows no layer of this name")
		}
		if err := s.Restore(saved); err != nil {
			return s.layer.Errorf("%w", err)
		}
	}
	return nil
}

// DataWait is how long Forward has waited for data, in total.
func (n *Net) DataWait() time.Duration {
	var total time.Duration
	for _, s := range n.sources {
		total += s.Wait()
	}
	return total
}
