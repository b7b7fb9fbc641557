package proto

import (
	"fmt"
	"strings"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// UnmarshalText reads protobuf text format into m, which it resets first. name stands for the file
// in errors. The error is a *ParseError that lists everything wrong with the text.
func UnmarshalText(name string, text []byte, m proto.Message) error {
	_, _, err := parseText(name, text, m)
	return err
}

// parseText also returns the places of all fields, and a line for each field of a fork that was
// accepted without being used.
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
	return root, p.warnings, nil
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
	warnings []string
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

// unknown notes a field that its message does not have, and reads past it. A field that a fork has
// and that changes no result is accepted with a warning.
func (p *parser) unknown(md protoreflect.MessageDescriptor, name token) bool {
	value, ok := p.skipField(0)
	fork, known := forkFields[forkKey{string(md.Name()), name.text}]
	if known && fork.harmless(value) {
		p.warnings = append(p.warnings, fmt.Sprintf("%s: %s of %s is accepted and has no effect: %s.",
			p.pos(name), name.text, fork.names, fork.why(value)))
		return ok
	}
	e := &Error{p.pos(name), fmt.Sprintf("Message type %q has no field named %q.", md.FullName(), name.text)}
	if known {
		e.Msg += fmt.Sprintf(" It is a field of %s that gocaffe does not have; ignoring it would change results.", fork.names)
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
	if near := nearest(name, fieldNames(md)); near != "" {
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
