package proto

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is one thing wrong with a text file, and where.
type Error struct {
	Pos Pos
	Msg string
}

// Error is "file:line:column: message".
func (e *Error) Error() string { return e.Pos.LineCol() + ": " + e.Msg }

// ParseError is everything that is wrong with one file, in the order of the file. A syntax error
// ends the list, because nothing after it can be trusted.
type ParseError struct {
	File    string
	Message string // short name of the message that the file should hold: "NetParameter"
	Errors  []*Error
}

// maxShown bounds what is printed of one file; a file that is something else altogether would fill
// the screen.
const maxShown = 20

// Error has a line for each error and ends with Caffe's "Failed to parse NetParameter file: F". What
// is wrong in several places, as a fork's field in every layer is, has one line, so that it does not
// hide what else is wrong.
func (e *ParseError) Error() string {
	places := map[string][]string{}
	var first []*Error
	for _, err := range e.Errors {
		if places[err.Msg] == nil {
			first = append(first, err)
		}
		places[err.Msg] = append(places[err.Msg], strconv.Itoa(err.Pos.Line))
	}
	var b strings.Builder
	for i, err := range first {
		if i == maxShown {
			fmt.Fprintf(&b, "%s: and %d more\n", e.File, len(first)-maxShown)
			break
		}
		b.WriteString(err.Error())
		if others := places[err.Msg][1:]; len(others) > 0 {
			b.WriteString(" Also in " + lineList(others) + ".")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Failed to parse %s file: %s", e.Message, e.File)
	return b.String()
}

// maxLines bounds how many lines are named for one thing: a field may stand in every layer.
const maxLines = 3

// lineList is "line 3", or "lines 3, 7, 8 and 1 more".
func lineList(lines []string) string {
	n := len(lines)
	if n == 1 {
		return "line " + lines[0]
	}
	text := "lines " + strings.Join(lines[:min(n, maxLines)], ", ")
	if n > maxLines {
		text += " and " + strconv.Itoa(n-maxLines) + " more"
	}
	return text
}

// Unwrap gives the single errors to errors.As.
func (e *ParseError) Unwrap() []error {
	list := make([]error, len(e.Errors))
	for i, err := range e.Errors {
		list[i] = err
	}
	return list
}
