package proto

import "strconv"

// Pos is a place in a text file. The zero Pos is unknown.
type Pos struct {
	File      string
	Line, Col int // counted from 1
}

// String is "file:line", or what is known of it.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}
