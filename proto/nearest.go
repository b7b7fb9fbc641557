package proto

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func fieldNames(md protoreflect.MessageDescriptor) []string {
	fields := md.Fields()
	names := make([]string, fields.Len())
	for i := range names {
		names[i] = string(fields.Get(i).Name())
	}
	return names
}

func enumNames(ed protoreflect.EnumDescriptor) []string {
	values := ed.Values()
	names := make([]string, values.Len())
	for i := range names {
		names[i] = string(values.Get(i).Name())
	}
	return names
}

// fieldsWith lists up to three message fields of md that have a field of that name.
func fieldsWith(md protoreflect.MessageDescriptor, name string) string {
	var found []string
	fields := md.Fields()
	for i := range fields.Len() {
		inner := fields.Get(i).Message()
		if inner != nil && inner.Fields().ByName(protoreflect.Name(name)) != nil {
			found = append(found, string(fields.Get(i).Name()))
		}
	}
	switch {
	case len(found) == 0:
		return ""
	case len(found) > 3:
		found = append(found[:3], "...")
	}
	return strings.Join(found, ", ")
}

// Nearest returns the name with the smallest edit distance, if it is near enough to be a slip, else
// "". The ending that half of all fields share makes no two names near.
func Nearest(name string, names []string) string {
	stem := func(s string) string { return strings.TrimSuffix(strings.ToLower(s), "_param") }
	name = stem(name)
	best, bestDist := "", max(1, len(name)/3)+1
	for _, other := range names {
		if d := editDistance(name, stem(other)); d < bestDist {
			best, bestDist = other, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours between a and b.
func editDistance(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
