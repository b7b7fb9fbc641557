package gflags

import (
	"path"
	"strings"

	"github.com/spf13/pflag"
)

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
