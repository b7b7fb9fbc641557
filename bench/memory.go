package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// peakMemory is the most resident memory that a program that has ended took, in bytes; 0 where the system does not tell. It is never less
// than what this program took when it started the other, which is less than what any that computes a net takes.
func peakMemory(cmd *exec.Cmd) int64 {
	u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return u.Maxrss
	}
	return u.Maxrss << 10
}

// predicted is what `gocaffe summary` says that `gocaffe time` takes at its peak, in bytes.
func predicted(o settings, model string) (int64, error) {
	args := []string{"summary", "-model", model, "-stage", "dummy", "-phase", training.phase, "-json", "-threads", strconv.Itoa(o.threads)}
	if o.precision != "fp32" {
		args = append(args, "-precision", o.precision)
	}
	out, err := output(exec.Command(o.gocaffe, args...))
	if err != nil {
		return 0, err
	}
	var s struct {
		Memory []struct {
			Command string `json:"command"`
			Peak    int64  `json:"peak"`
		} `json:"memory"`
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return 0, fmt.Errorf("%s summary -json: %w", o.gocaffe, err)
	}
	for _, m := range s.Memory {
		if m.Command == "time" {
			return m.Peak, nil
		}
	}
	return 0, fmt.Errorf("%s summary predicts no memory of time for %s", o.gocaffe, model)
}

// memory prints what the contenders took at their peak in the passes that were timed, and adds what was predicted for gocaffe. PyTorch runs
// two copies of a net one after the other, of which the larger counts.
func memory(o settings, nets []net, results []result, contenders []contender) error {
	fmt.Print("\nPeak resident memory of these, MiB\n\n")
	fmt.Printf("%-16s", "net")
	for _, c := range contenders {
		fmt.Printf(" %10s", c.name)
	}
	fmt.Printf(" %10s", "predicted")
	for _, c := range contenders[1:] {
		fmt.Printf(" %10s", "of "+c.name)
	}
	fmt.Println()
	for i, n := range nets {
		r := &results[i]
		var err error
		if r.Predicted, err = predicted(o, n.Model); err != nil {
			return err
		}
		fmt.Printf("%-16s", n.Name)
		for _, c := range contenders {
			fmt.Printf(" %10.0f", mib(r.Peaks[c.name]))
		}
		fmt.Printf(" %10.0f", mib(r.Predicted))
		for _, c := range contenders[1:] {
			fmt.Printf(" %9.0f%%", 100*mib(r.Peaks[contenders[0].name])/mib(r.Peaks[c.name]))
		}
		fmt.Println()
	}
	return nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
