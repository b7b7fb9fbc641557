package main

import (
	"encoding/json"
	"math"
	"os"

	"github.com/gocaffe/gocaffe/solver"
)

// metricsFile appends a line of JSON for each display to the file of -metrics.
type metricsFile struct {
	file *os.File
}

func openMetrics(path string) (*metricsFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &metricsFile{f}, nil
}

// write writes each line at once, so that a killed run leaves whole lines. JSON has no NaN and no infinity: such numbers become null.
func (m *metricsFile) write(v solver.Metrics) error {
	line := map[string]any{
		"iteration": v.Iteration, "loss": number32(v.Loss), "lr": number32(v.Rate), "seconds": v.Seconds,
		"iterations_per_second": v.IterationsPerSecond, "data_wait": v.DataWait,
	}
	outputs := map[string][]any{}
	for name, values := range v.Outputs {
		for _, x := range values {
			outputs[name] = append(outputs[name], number32(x))
		}
	}
	line["outputs"] = outputs
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = m.file.Write(append(text, '\n'))
	return err
}

func (m *metricsFile) Close() error { return m.file.Close() }

func number32(x float32) any {
	if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
		return nil
	}
	return x
}
