package net

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// DataState is the position of all data sources: a JSON object of each data
// layer's state by the layer's name, with #2 behind the name of the second layer
// that has it.
func (n *Net) DataState() ([]byte, error) {
	states := map[string][]byte{}
	for i, key := range n.sourceKeys() {
		state, err := n.sources[i].State()
		if err != nil {
			return nil, n.sources[i].layer.Errorf("%w", err)
		}
		states[key] = state
	}
	return json.Marshal(states)
}

// sourceKeys names the source of each data layer.
func (n *Net) sourceKeys() map[int]string {
	keys, seen := map[int]string{}, map[string]int{}
	for _, i := range slices.Sorted(maps.Keys(n.sources)) {
		name := n.sources[i].layer.GetName()
		seen[name]++
		keys[i] = name
		if seen[name] > 1 {
			keys[i] = fmt.Sprintf("%s#%d", name, seen[name])
		}
	}
	return keys
}

// RestoreData continues all data sources where DataState was taken. A layer
// that the state does not know starts where it is, which is an error.
func (n *Net) RestoreData(state []byte) error {
	states := map[string][]byte{}
	if err := json.Unmarshal(state, &states); err != nil {
		return fmt.Errorf("net %s: the saved position of its data is damaged: %w", n.Name(), err)
	}
	keys := n.sourceKeys()
	for _, i := range slices.Sorted(maps.Keys(n.sources)) {
		s := n.sources[i]
		saved, ok := states[keys[i]]
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
