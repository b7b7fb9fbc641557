package engine

import (
	"strconv"
	"strings"
)

// Ints is a list of integers that can be compared and used as a map key, so
// that an Op may hold one. Its text is the numbers, separated by commas.
type Ints string

// IntsOf makes the list of the given numbers.
func IntsOf(v ...int) Ints {
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	return Ints(strings.Join(parts, ","))
}

// List is the numbers; it is never nil.
func (l Ints) List() []int {
	out := []int{}
	for rest := string(l); rest != ""; {
		var head string
		head, rest, _ = strings.Cut(rest, ",")
		n, err := strconv.Atoi(head)
		if err != nil {
			panic("engine: Ints not made by IntsOf: " + string(l))
		}
		out = append(out, n)
	}
	return out
}

// Floats is a list of float32 that can be compared, as Ints is of integers.
type Floats string

// FloatsOf makes the list of the given numbers.
func FloatsOf(v ...float32) Floats {
	parts := make([]string, len(v))
	for i, f := range v {
		parts[i] = strconv.FormatFloat(float64(f), 'g', -1, 32)
	}
	return Floats(strings.Join(parts, ","))
}

// List is the numbers; it is never nil.
func (l Floats) List() []float32 {
	out := []float32{}
	for rest := string(l); rest != ""; {
		var head string
		head, rest, _ = strings.Cut(rest, ",")
		f, err := strconv.ParseFloat(head, 32)
		if err != nil {
			panic("engine: Floats not made by FloatsOf: " + string(l))
		}
		out = append(out, float32(f))
	}
	return out
}
