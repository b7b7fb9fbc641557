package proto

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Pos is a place in a file. Line and Col count from 1, Col in bytes; both are 0 where only the
// file is known (a binary file, or a message made in memory).
type Pos struct {
	File string
	Line int
	Col  int
}

// String is "file:line", or "file" where the line is not known.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// LineCol is "file:line:column", or "file" where the line is not known.
func (p Pos) LineCol() string {
	if p.Line == 0 {
		return p.File
	}
	return p.String() + ":" + strconv.Itoa(p.Col)
}

// node is the place of one field of a message, and of the fields within it, in the order of the
// file. It is a tree of its own because an upgrade moves fields about and takes their places along.
type node struct {
	name      protoreflect.Name
	line, col int32
	kids      []*node
}

func (n *node) at(file string) Pos {
	if n == nil {
		return Pos{File: file}
	}
	return Pos{File: file, Line: int(n.line), Col: int(n.col)}
}

// all returns the occurrences of a field.
func (n *node) all(name protoreflect.Name) []*node {
	if n == nil {
		return nil
	}
	var found []*node
	for _, k := range n.kids {
		if k.name == name {
			found = append(found, k)
		}
	}
	return found
}

// find follows a path such as "param[1].lr_mult" as far as the file has it: what is missing is best
// shown by the message that lacks it.
func (n *node) find(path string) *node {
	for path != "" && n != nil {
		var elem string
		elem, path, _ = strings.Cut(path, ".")
		name, index := elem, 0
		if open := strings.IndexByte(elem, '['); open >= 0 {
			name = elem[:open]
			index, _ = strconv.Atoi(strings.TrimSuffix(elem[open+1:], "]"))
		}
		found := n.all(protoreflect.Name(name))
		if index < 0 || index >= len(found) {
			return n
		}
		n = found[index]
	}
	return n
}
