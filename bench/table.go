package main

import "fmt"

func printHeader(contenders []contender) {
	fmt.Printf("%-16s", "net")
	for _, c := range contenders {
		fmt.Printf(" %10s", c.name)
	}
	for _, c := range contenders[1:] {
		fmt.Printf(" %10s", "/"+c.name)
	}
	fmt.Println()
}

func printRow(r result, contenders []contender) {
	fmt.Printf("%-16s %10.1f", r.Net, r.Best.Milliseconds)
	for _, c := range contenders[1:] {
		fmt.Printf(" %10.1f", r.Peers[c.name])
	}
	for _, c := range contenders[1:] {
		fmt.Printf(" %10.2f", r.Ratios[c.name])
	}
	fmt.Println()
}

func printMeans(results []result, contenders []contender) {
	if len(contenders) < 2 || len(results) < 2 {
		return
	}
	fmt.Printf("%-16s %10s", "geometric mean", "")
	for range contenders[1:] {
		fmt.Printf(" %10s", "")
	}
	for _, c := range contenders[1:] {
		fmt.Printf(" %10.2f", geomean(results, c.name))
	}
	fmt.Println()
}

// printLayers lists the layers that take at least a hundredth of the pass.
// GFLOP/s counts the multiply-adds of convolutions and matrix products alone.
func printLayers(r result, peak float64) {
	fmt.Printf("\n%s, layers of 1 %% and more\n\n", r.Net)
	fmt.Printf("%-32s %-16s %9s %8s %6s %9s %8s %6s\n", "layer", "type", "fwd ms", "GFLOP/s", "peak", "bwd ms", "GFLOP/s", "peak")
	small := 0.0
	for _, l := range r.Best.Layers {
		if l.Forward+l.Backward < r.Best.Milliseconds/100 {
			small += l.Forward + l.Backward
			continue
		}
		fmt.Printf("%-32s %-16s %9.2f %s %9.2f %s\n", l.Name, l.Type,
			l.Forward, share(rate(l.ForwardWork, l.Forward), peak), l.Backward, share(rate(l.BackwardWork, l.Backward), peak))
	}
	fmt.Printf("%-32s %-16s %9.2f\n", "all others", "", small)
}

func share(rate, peak float64) string {
	if rate == 0 {
		return fmt.Sprintf("%8s %6s", "", "")
	}
	return fmt.Sprintf("%8.0f %5.0f%%", rate, 100*rate/peak)
}
