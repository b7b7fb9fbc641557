package main

import (
	"fmt"
	"math"
	"os"
	"strings"
)

// result is one net's best turn of each contender.
type result struct {
	Net        string             `json:"net"`
	Best       timing             `json:"gocaffe"`
	Peers      map[string]float64 `json:"peers_ms,omitempty"`
	Ratios     map[string]float64 `json:"ratios,omitempty"` // peer / gocaffe: above 1 gocaffe is faster
	Iterations int                `json:"iterations"`
	Peaks      map[string]int64   `json:"peak_bytes"`                     // each contender's resident memory, the most of its turns
	Predicted  int64              `json:"predicted_peak_bytes,omitempty"` // gocaffe's, by its summary
}

// contest lets the contenders time every net in turns and prints a row for each.
func contest(o settings, nets []net, contenders []contender, m mode) ([]result, error) {
	folder, err := os.MkdirTemp("", "gocaffe-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	printHeader(contenders)
	var results []result
	for _, n := range nets {
		model, err := m.model(n, folder)
		if err != nil {
			return nil, err
		}
		r, err := turns(o, n, model, contenders, m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		printRow(r, contenders)
		results = append(results, r)
	}
	printMeans(results, contenders)
	return results, nil
}

// turns times one net. A pass of batch 1 is so short that it has more iterations.
func turns(o settings, n net, model string, contenders []contender, m mode) (result, error) {
	r := result{Net: n.Name, Peers: map[string]float64{}, Ratios: map[string]float64{}, Peaks: map[string]int64{}}
	r.Iterations = max(int(o.seconds*1000/n.Milliseconds), 3)
	if m.batch == 1 {
		r.Iterations *= 10
	}
	for range o.rounds {
		for i, c := range contenders {
			t, err := c.time(m, model, max(r.Iterations/c.slowness, 2))
			if err != nil {
				return r, err
			}
			r.Peaks[c.name] = max(r.Peaks[c.name], t.Peak)
			best, seen := r.Peers[c.name]
			switch {
			case i == 0 && (r.Best.Milliseconds == 0 || t.Milliseconds < r.Best.Milliseconds):
				r.Best = t
			case i > 0 && (!seen || t.Milliseconds < best):
				r.Peers[c.name] = t.Milliseconds
			}
		}
	}
	for name, ms := range r.Peers {
		r.Ratios[name] = ms / r.Best.Milliseconds
	}
	return r, nil
}

// peak is the rate of the fastest convolution that the engine has, forward or
// backward, in GFLOP/s: what a layer could reach at best.
func peak(o settings) (float64, error) {
	t, err := ours("gocaffe", o.gocaffe, o.precision, o.threads).time(training, "bench/peak.prototxt", 20)
	if err != nil {
		return 0, err
	}
	best := 0.0
	for _, l := range t.Layers {
		best = max(best, rate(l.ForwardWork, l.Forward), rate(l.BackwardWork, l.Backward))
	}
	return best, nil
}

// rate is GFLOP/s: a multiply-add is two operations.
func rate(multiplyAdds int64, ms float64) float64 {
	if ms == 0 {
		return 0
	}
	return 2 * float64(multiplyAdds) / ms / 1e6
}

// scaling compares one thread with all.
func scaling(o settings, nets []net, all []result) (map[string]float64, error) {
	fmt.Printf("\nOne thread against %d: efficiency, 1 is perfect\n\n", o.threads)
	single := ours("gocaffe", o.gocaffe, o.precision, 1)
	efficiency := map[string]float64{}
	for i, n := range nets {
		best := math.Inf(1)
		for range o.rounds {
			t, err := single.time(training, n.Model, max(all[i].Iterations/2, 2))
			if err != nil {
				return nil, err
			}
			best = min(best, t.Milliseconds)
		}
		efficiency[n.Name] = best / float64(o.threads) / all[i].Best.Milliseconds
		fmt.Printf("%-16s %10.1f %10.1f %8.2f\n", n.Name, best, all[i].Best.Milliseconds, efficiency[n.Name])
	}
	return efficiency, nil
}

// slower is the error of a build that lost against its base.
func slower(results []result, tolerance float64) error {
	var lost []string
	for _, r := range results {
		if r.Ratios["base"] < 1-2*tolerance {
			lost = append(lost, fmt.Sprintf("%s takes %.0f %% more time", r.Net, 100*(1/r.Ratios["base"]-1)))
		}
	}
	if mean := geomean(results, "base"); mean < 1-tolerance {
		lost = append(lost, fmt.Sprintf("all nets together take %.0f %% more time", 100*(1/mean-1)))
	}
	if lost != nil {
		return fmt.Errorf("slower than the base: %s", strings.Join(lost, "; "))
	}
	return nil
}

// geomean is the geometric mean of the ratios to one peer.
func geomean(results []result, peer string) float64 {
	sum := 0.0
	for _, r := range results {
		sum += math.Log(r.Ratios[peer])
	}
	return math.Exp(sum / float64(len(results)))
}
