package proto

import (
	"fmt"
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

// Error has a line for each error and ends with Caffe's "Failed to parse NetParameter file: F".
func (e *ParseError) Error() string {
	var b strings.Builder
	for i, err := range e.Errors {
		if i == maxShown {
			fmt.Fprintf(&b, "%s: and %d more\n", e.File, len(e.Errors)-maxShown)
			break
		}
		b.WriteString(err.Error())
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Failed to parse %s file: %s", e.Message, e.File)
	return b.String()
}

// Unwrap gives the single errors to errors.As.
func (e *ParseError) Unwrap() []error {
	list := make([]error, len(e.Errors))
	for i, err := range e.Errors {
		list[i] = err
	}
	return list
}
