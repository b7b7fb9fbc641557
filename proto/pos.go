package proto

import (
	"slices"
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

// copyAs is the node and all below it, with a name of its own: upgrades change copies, so that the
// tree of the file stays as it was read.
func (n *node) copyAs(name protoreflect.Name) *node {
	if n == nil {
		return nil
	}
	c := &node{name: name, line: n.line, col: n.col}
	for _, k := range n.kids {
		c.kids = append(c.kids, k.copyAs(k.name))
	}
	return c
}

// put adds the place of a field as that of another field of n, which it replaces.
func (n *node) put(field protoreflect.Name, from *node) {
	if n == nil || from == nil {
		return
	}
	n.kids = append(without(n.kids, field), from.copyAs(field))
}

// addAll adds the places of elements of a repeated field.
func (n *node) addAll(field protoreflect.Name, from []*node) {
	for _, f := range from {
		n.kids = append(n.kids, f.copyAs(field))
	}
}

// sub is the message field of that name; where the file does not have it, a new one at n's place.
func (n *node) sub(name protoreflect.Name) *node {
	if n == nil {
		return nil
	}
	if found := n.all(name); len(found) > 0 {
		return found[0]
	}
	kid := &node{name: name, line: n.line, col: n.col}
	n.kids = append(n.kids, kid)
	return kid
}

// take removes a field from n and returns its place.
func (n *node) take(name protoreflect.Name) *node {
	found := n.all(name)
	if len(found) == 0 {
		return nil
	}
	n.kids = without(n.kids, name)
	return found[0]
}

func without(kids []*node, name protoreflect.Name) []*node {
	return slices.DeleteFunc(kids, func(k *node) bool { return k.name == name })
}
