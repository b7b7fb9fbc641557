// Package imagelist reads Caffe's lists of images: a path, a space and a label on each line.
package imagelist

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// Entry is one line of a list.
type Entry struct {
	Path  string // as written: the caller puts its root folder before it
	Label int32
	Line  int32 // counted from 1
}

// Options say how strict the reader is. The zero Options are strict.
type Options struct {
	// Compat reads every line as BVLC Caffe does: a label that is missing or no number counts as 0, one like "3.7" or "3x" as 3, a line
	// without a space is a path, whose label is the number that it starts with, and a missing file is an empty list.
	Compat bool
}

// maxErrors is how many bad lines one error names.
const maxErrors = 10

// Read reads the list at path.
func Read(path string, o Options) ([]Entry, error) {
	text, err := os.ReadFile(path)
	if err != nil && !o.Compat {
		return nil, fmt.Errorf("cannot read the image list: %w", err)
	}
	return Parse(path, string(text), o)
}

// Parse reads the text of a list; name stands for it in errors, which say file:line and name up to ten bad lines. The path and the label
// are separated by the last space of the line, so paths may contain spaces. Blank lines and spaces at the end of a line are ignored.
func Parse(name, text string, o Options) ([]Entry, error) {
	entries := make([]Entry, 0, strings.Count(text, "\n")+1)
	var bad []error
	for number := 1; text != ""; number++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if o.Compat {
			e := parseCompat(line)
			e.Line = int32(number)
			entries = append(entries, e)
			continue
		}
		line = strings.TrimRight(line, " \t\r")
		if line == "" {
			continue
		}
		e, err := parse(line)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", name, number, err))
			continue
		}
		e.Line = int32(number)
		entries = append(entries, e)
	}
	if len(bad) > maxErrors {
		bad = append(bad[:maxErrors], fmt.Errorf("%s: and %d more bad lines", name, len(bad)-maxErrors))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return entries, nil
}

func parse(line string) (Entry, error) {
	const want = `write "path label", with one space and a whole number`
	at := strings.LastIndexByte(line, ' ')
	if at < 0 {
		return Entry{}, fmt.Errorf("no label after %q: %s", line, want)
	}
	path, label := line[:at], line[at+1:]
	if strings.TrimSpace(path) == "" {
		return Entry{}, fmt.Errorf("no path before the label %q: %s", label, want)
	}
	n, err := strconv.ParseInt(label, 10, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return Entry{}, fmt.Errorf("label %s of %q does not fit in 32 bits", label, path)
	case err != nil:
		return Entry{}, fmt.Errorf("label %q of %q is not an integer: %s", label, path, want)
	}
	return Entry{Path: path, Label: int32(n)}, nil
}

// parseCompat is what std::string::find_last_of and atoi make of a line.
func parseCompat(line string) Entry {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 {
		return Entry{Path: line, Label: atoi(line)}
	}
	return Entry{Path: line[:at], Label: atoi(line[at+1:])}
}

// atoi reads the number that s starts with, or 0, as C's atoi on a 64-bit Linux.
func atoi(s string) int32 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	sign := int64(1)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	n := int64(0)
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			break
		}
		if digit := int64(c - '0'); n > (math.MaxInt64-digit)/10 {
			n = math.MaxInt64
			break
		} else {
			n = n*10 + digit
		}
	}
	return int32(sign * n)
}
