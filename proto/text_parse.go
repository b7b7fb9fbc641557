package proto

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// UnmarshalText reads protobuf text format into m, which it resets first. name stands for the file
// in errors. The error is a *ParseError that lists everything wrong with the text.
func UnmarshalText(name string, text []byte, m proto.Message) error {
	_, _, err := parseText(name, text, m)
	return err
}

// parseText also returns the places of all fields, and a warning if there are fields of forks that
// were accepted without being used.
func parseText(name string, text []byte, m proto.Message) (*node, []string, error) {
	proto.Reset(m)
	p := &parser{lex: newLexer(text), file: name}
	root := new(node)
	p.next()
	_ = p.fields(m.ProtoReflect(), root, 0) && p.done()
	if len(p.errs) > 0 {
		kind := string(m.ProtoReflect().Descriptor().Name())
		return nil, nil, &ParseError{File: name, Message: kind, Errors: p.errs}
	}
	return root, acceptedWarning(name, p.accepted), nil
}

// parser reads what protobuf's TextFormat reads. Its methods return false after an error that makes
// the rest unreadable; an error that leaves the structure intact is only noted, so that one run
// shows them all.
type parser struct {
	lex      *lexer
	tok      token
	broken   bool // the token is not well formed, which is already noted
	file     string
	errs     []*Error
	accepted []*acceptedField
	outer    []protoreflect.MessageDescriptor // messages being read, outermost first
}

func (p *parser) next() {
	t, msg := p.lex.next()
	p.tok = t
	if msg != "" {
		p.broken = true
		p.note(t, "%s", msg)
	}
}

func (p *parser) pos(t token) Pos { return Pos{p.file, int(t.line), int(t.col)} }

func (p *parser) note(t token, format string, args ...any) {
	p.errs = append(p.errs, &Error{p.pos(t), fmt.Sprintf(format, args...)})
}

// fail notes an error after which reading stops.
func (p *parser) fail(format string, args ...any) bool {
	if !p.broken {
		p.note(p.tok, format, args...)
	}
	return false
}

func (p *parser) done() bool {
	return p.tok.kind == tokenEnd || p.fail("Expected identifier, got: %s", p.tok.quoted())
}

// fields reads the inside of a message up to the symbol end, or up to the end of the file for 0.
func (p *parser) fields(m protoreflect.Message, n *node, end byte) bool {
	md := m.Descriptor()
	p.outer = append(p.outer, md)
	defer func() { p.outer = p.outer[:len(p.outer)-1] }()
	for {
		switch {
		case p.tok.kind == tokenEnd && end == 0:
			p.required(m, n)
			return true
		case p.tok.kind == tokenEnd:
			return p.fail("Expected %q, got the end of the file: caffe.%s that starts in line %d is not closed.",
				string(end), md.Name(), n.line)
		case end != 0 && p.tok.is(end):
			p.required(m, n)
			p.next()
			return !p.broken
		case !p.field(m, n):
			return false
		}
	}
}

func (p *parser) required(m protoreflect.Message, n *node) {
	numbers := m.Descriptor().RequiredNumbers()
	for i := range numbers.Len() {
		if fd := m.Descriptor().Fields().ByNumber(numbers.Get(i)); !m.Has(fd) {
			p.note(token{line: n.line, col: n.col}, "Message missing required fields: %s of %q.",
				fd.Name(), m.Descriptor().FullName())
		}
	}
}

// field reads one field with its value and the separator after it.
func (p *parser) field(m protoreflect.Message, n *node) bool {
	name := p.tok
	switch {
	case name.is('['):
		return p.fail("Expected identifier, got: [. Caffe's messages have no extensions.")
	case name.is('}'), name.is('>'):
		return p.fail("Expected identifier, got: %s. Is a bracket closed twice?", name.text)
	case name.kind != tokenIdent:
		return p.fail("Expected identifier, got: %s", name.quoted())
	}
	p.next()
	if p.broken {
		return false
	}
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(name.text))
	if fd == nil {
		return p.unknown(m.Descriptor(), name) && p.separator()
	}
	if fd.IsList() {
		return p.list(m, n, fd, name) && p.separator()
	}
	if m.Has(fd) {
		p.note(name, "Non-repeated field %q is specified multiple times. The first is in line %d.",
			name.text, n.all(fd.Name())[0].line)
		m = m.New()
	}
	kid := n.add(fd.Name(), name)
	if fd.Message() != nil {
		return p.openMessage() && p.message(m.Mutable(fd).Message(), kid) && p.separator()
	}
	if !p.colon() {
		return false
	}
	v, good, more := p.scalar(fd)
	if good {
		m.Set(fd, v)
	}
	return more && p.separator()
}

func (n *node) add(name protoreflect.Name, at token) *node {
	kid := &node{name: name, line: at.line, col: at.col}
	n.kids = append(n.kids, kid)
	return kid
}

// list reads one value of a repeated field, or several in brackets.
func (p *parser) list(m protoreflect.Message, n *node, fd protoreflect.FieldDescriptor, name token) bool {
	if fd.Message() != nil && !p.openMessage() || fd.Message() == nil && !p.colon() {
		return false
	}
	if !p.tok.is('[') {
		return p.element(m, n, fd, name)
	}
	m.Mutable(fd)
	p.next()
	if p.tok.is(']') {
		p.next()
		return !p.broken
	}
	for {
		if !p.element(m, n, fd, p.tok) {
			return false
		}
		switch {
		case p.tok.is(','):
			p.next()
		case p.tok.is(']'):
			p.next()
			return !p.broken
		default:
			return p.fail(`Expected "," or "]", got: %s`, p.tok.quoted())
		}
	}
}

func (p *parser) element(m protoreflect.Message, n *node, fd protoreflect.FieldDescriptor, at token) bool {
	if fd.Message() != nil {
		return p.message(m.Mutable(fd).List().AppendMutable().Message(), n.add(fd.Name(), at))
	}
	list := m.Mutable(fd).List()
	// A million weights do not need a million places.
	if list.Len() < 1000 {
		n.add(fd.Name(), at)
	}
	v, good, more := p.scalar(fd)
	if good {
		list.Append(v)
	}
	return more
}

// openMessage reads the colon that may stand before a message.
func (p *parser) openMessage() bool {
	if p.tok.is(':') {
		p.next()
	}
	return !p.broken
}

func (p *parser) message(m protoreflect.Message, n *node) bool {
	var end byte
	switch {
	case p.tok.is('{'):
		end = '}'
	case p.tok.is('<'):
		end = '>'
	default:
		return p.fail(`Expected "{", got: %s. %s is a message: %s { ... }`, p.tok.quoted(), n.name, n.name)
	}
	p.next()
	return !p.broken && p.fields(m, n, end)
}

func (p *parser) colon() bool {
	if !p.tok.is(':') {
		return p.fail(`Expected ":", got: %s`, p.tok.quoted())
	}
	p.next()
	return !p.broken
}

func (p *parser) separator() bool {
	if p.tok.is(';') || p.tok.is(',') {
		p.next()
	}
	return !p.broken
}
