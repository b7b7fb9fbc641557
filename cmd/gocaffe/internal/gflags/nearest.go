package gflags

import (
	"path"
	"strings"

	"github.com/spf13/pflag"
)

// Nearest is the name that was most likely meant, or "" where none is near.
func Nearest(name string, known []string) string {
	best, bestDist := "", max(1, len(name)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(name), k); d < bestDist {
			best, bestDist = k, d
		}
	}
	return best
}

// distance counts insertions, deletions and replacements between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}

func flagNames(set *pflag.FlagSet) []string {
	var names []string
	set.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// matchesProgram tells whether one of the names, which may hold * and ?, is the program's.
func matchesProgram(names, program string) bool {
	for _, pattern := range strings.Fields(names) {
		if ok, err := path.Match(pattern, program); ok && err == nil {
			return true
		}
	}
	return false
}
