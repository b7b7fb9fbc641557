package proto

import (
	"fmt"
	"strings"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// unknown notes a field that its message does not have, and reads past it. A field that a fork has
// and that changes no result is accepted with a warning.
func (p *parser) unknown(md protoreflect.MessageDescriptor, name token) bool {
	value, ok := p.skipField(0)
	key := forkKey{string(md.Name()), name.text}
	fork, known := forkFields[key]
	if known && fork.harmless(value) {
		p.accept(key, fork, value, name)
		return ok
	}
	e := &Error{p.pos(name), fmt.Sprintf("Message type %q has no field named %q.", md.FullName(), name.text)}
	if known {
		e.Msg += fork.refusal(key.message)
	} else {
		e.Msg += p.hint(md, name.text)
	}
	// Errors inside the value, if any, come after this one.
	at := len(p.errs)
	for at > 0 && after(p.errs[at-1].Pos, e.Pos) {
		at--
	}
	p.errs = append(p.errs[:at:at], append([]*Error{e}, p.errs[at:]...)...)
	return ok
}

func after(a, b Pos) bool { return a.Line > b.Line || a.Line == b.Line && a.Col > b.Col }

// maxSkip bounds the nesting of what is read without a schema, so that a hostile file cannot
// exhaust the stack.
const maxSkip = 100

// skipField reads a value whose type is not known, and returns its text if it is a single scalar.
func (p *parser) skipField(depth int) (string, bool) {
	if depth > maxSkip {
		return "", p.fail("Message is too deep: more than %d levels of unknown fields.", maxSkip)
	}
	colon := p.tok.is(':')
	p.openMessage()
	switch {
	case p.tok.is('{'):
		return "", p.skipMessage('}', depth)
	case p.tok.is('<'):
		return "", p.skipMessage('>', depth)
	case !colon:
		return "", p.fail(`Expected ":" or "{", got: %s`, p.tok.quoted())
	case p.tok.is('['):
		return "", p.skipList(depth)
	}
	return p.skipScalar()
}

func (p *parser) skipMessage(end byte, depth int) bool {
	open := p.tok
	p.next()
	for !p.tok.is(end) {
		if p.tok.kind == tokenEnd {
			return p.fail("Expected %q, got the end of the file: what starts in line %d is not closed.", string(end), open.line)
		}
		if p.tok.kind != tokenIdent {
			return p.fail("Expected identifier, got: %s", p.tok.quoted())
		}
		p.next()
		if _, ok := p.skipField(depth + 1); !ok || !p.separator() {
			return false
		}
	}
	p.next()
	return !p.broken
}

func (p *parser) skipList(depth int) bool {
	p.next()
	for !p.tok.is(']') {
		ok := false
		switch {
		case p.tok.is('{'):
			ok = p.skipMessage('}', depth+1)
		case p.tok.is('<'):
			ok = p.skipMessage('>', depth+1)
		default:
			_, ok = p.skipScalar()
		}
		if !ok {
			return false
		}
		if p.tok.is(',') {
			p.next()
		} else if !p.tok.is(']') {
			return p.fail(`Expected "," or "]", got: %s`, p.tok.quoted())
		}
	}
	p.next()
	return !p.broken
}

func (p *parser) skipScalar() (string, bool) {
	text := ""
	if p.tok.is('-') {
		text = "-"
		p.next()
	}
	if p.tok.kind == tokenString {
		s, ok := p.stringValue()
		return s, ok
	}
	if p.tok.kind == tokenSymbol || p.tok.kind == tokenEnd {
		return "", p.fail("Expected a value, got: %s", p.tok.quoted())
	}
	text += p.tok.text
	p.next()
	return text, !p.broken
}

// hint says what the user may have meant by a field that does not exist.
func (p *parser) hint(md protoreflect.MessageDescriptor, name string) string {
	for i := len(p.outer) - 2; i >= 0; i-- {
		if p.outer[i].Fields().ByName(protoreflect.Name(name)) != nil {
			return fmt.Sprintf(" %s has one: is a closing bracket missing before it?", p.outer[i].FullName())
		}
	}
	if other := otherFile(md); len(p.outer) == 1 && other != nil && other.Fields().ByName(protoreflect.Name(name)) != nil {
		return fmt.Sprintf(" %s has one: is this file given in the wrong place?", other.FullName())
	}
	if inner := fieldsWith(md, name); inner != "" {
		return " It belongs inside " + inner + "."
	}
	if near := Nearest(name, fieldNames(md)); near != "" {
		return fmt.Sprintf(" did you mean %s?", near)
	}
	if strings.HasSuffix(name, "_param") {
		return " No layer of BVLC Caffe has such options."
	}
	return ""
}

// otherFile is the other kind of prototxt: nets and solvers are easily mixed up.
func otherFile(md protoreflect.MessageDescriptor) protoreflect.MessageDescriptor {
	switch md.Name() {
	case "NetParameter":
		return (*caffepb.SolverParameter)(nil).ProtoReflect().Descriptor()
	case "SolverParameter":
		return (*caffepb.NetParameter)(nil).ProtoReflect().Descriptor()
	}
	return nil
}
