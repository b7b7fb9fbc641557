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
	instead  string // what to write in its place, or ""
}

var forkFields = readForkTable(forkTable)

func readForkTable(table string) map[forkKey]forkField {
	fields := map[forkKey]forkField{}
	for line := range strings.Lines(table) {
		cols := strings.Split(strings.TrimSpace(line), "\t")
		if len(cols) < 5 || strings.HasPrefix(line, "#") {
			continue
		}
		cols = append(cols, "")[:6]
		for i, col := range cols {
			if col == "-" {
				cols[i] = ""
			}
		}
		fields[forkKey{cols[0], cols[1]}] = forkField{cols[2], cols[3], cols[4], cols[5]}
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

// forkEffects says of a message what its fields change.
var forkEffects = map[string]string{
	"LayerParameter":          "it holds what a layer of that fork computes",
	"V1LayerParameter":        "it holds what a layer of that fork computes",
	"LossParameter":           "it changes the loss and its gradients",
	"FillerParameter":         "it changes the weights that training begins with",
	"SolverParameter":         "it changes how weights are updated or tested",
	"NetParameter":            "it changes what the net computes",
	"TransformationParameter": "it changes the images that the net sees",
	"DataParameter":           "it changes which records the net sees, and when",
	"ImageDataParameter":      "it changes which images the net sees, and how",
	"MemoryDataParameter":     "it says where the data come from",
	"HDF5DataParameter":       "it changes which rows the net sees",
}

// refusal is why a field with an effect is an error.
func (f forkField) refusal(message string) string {
	effect := forkEffects[message]
	if effect == "" {
		effect = "it changes what the layer computes"
	}
	text := " It belongs to " + f.names + " and is not supported: " + effect + "."
	if f.instead != "" {
		text += " " + f.instead
	}
	return text
}

// acceptedField is a field without effect, and where it stands.
type acceptedField struct {
	key   forkKey
	names string
	why   string
	lines []string
}

// accept notes a field of a fork that has no effect.
func (p *parser) accept(key forkKey, fork forkField, value string, at token) {
	why := fork.why(value)
	for _, a := range p.accepted {
		if a.key == key && a.why == why {
			a.lines = append(a.lines, strconv.Itoa(int(at.line)))
			return
		}
	}
	p.accepted = append(p.accepted, &acceptedField{key, fork.names, why, []string{strconv.Itoa(int(at.line))}})
}

// acceptedWarning names all fields that were accepted in one line, which is at the first of them.
func acceptedWarning(file string, accepted []*acceptedField) []string {
	if len(accepted) == 0 {
		return nil
	}
	list := make([]string, len(accepted))
	for i, a := range accepted {
		list[i] = a.key.message + "." + a.key.field + " of " + a.names + " (" + lineList(a.lines) + "): " + a.why
	}
	return []string{file + ":" + accepted[0].lines[0] + ": accepted without effect: " + strings.Join(list, "; ") + "."}
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
