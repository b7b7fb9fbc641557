package proto

import (
	_ "embed" // for the table
	"strconv"
	"strings"
)

// forkTable lists the fields that forks added to Caffe's messages; its header names the columns.
//
//go:embed forkfields.tsv
var forkTable string

type forkKey struct{ message, field string }

type forkField struct {
	names    string // the forks that have it
	neutral  string // the value with which it does nothing, or ""
	noEffect string // why it has no effect whatever its value, or ""
}

var forkFields = readForkTable(forkTable)

func readForkTable(table string) map[forkKey]forkField {
	fields := map[forkKey]forkField{}
	for line := range strings.Lines(table) {
		cols := strings.Split(strings.TrimSpace(line), "\t")
		if len(cols) != 5 || strings.HasPrefix(line, "#") {
			continue
		}
		for i, col := range cols {
			if col == "-" {
				cols[i] = ""
			}
		}
		fields[forkKey{cols[0], cols[1]}] = forkField{cols[2], cols[3], cols[4]}
	}
	return fields
}

// harmless reports whether a net gives the same results without this field.
func (f forkField) harmless(value string) bool {
	return f.noEffect != "" || f.neutral != "" && value != "" && sameValue(value, f.neutral)
}

func (f forkField) why(value string) string {
	if f.noEffect != "" {
		return f.noEffect
	}
	return value + " is its default"
}

// sameValue compares two scalars as text, numbers by value.
func sameValue(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(strings.TrimRight(a, "fF"), 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}
