package proto

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// scalar reads one value of a field that is not a message. good is false if the value was noted as
// wrong; more is false if reading cannot go on.
func (p *parser) scalar(fd protoreflect.FieldDescriptor) (v protoreflect.Value, good, more bool) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		s, ok, more := p.text(fd)
		return protoreflect.ValueOfString(s), ok, more
	case protoreflect.BytesKind:
		s, ok, more := p.text(fd)
		return protoreflect.ValueOfBytes([]byte(s)), ok, more
	}
	minus := p.tok.is('-')
	if minus {
		p.next()
	}
	t := p.tok
	if t.kind == tokenSymbol || t.kind == tokenEnd {
		return v, false, p.fail("%s: Expected %s, got: %s", fd.Name(), expected(fd), t.quoted())
	}
	v, msg := number(fd, t, minus)
	if msg != "" {
		p.note(t, "%s", msg)
	}
	p.next()
	return v, msg == "", !p.broken
}

// text reads a string value; a number or word in its place is noted and passed over.
func (p *parser) text(fd protoreflect.FieldDescriptor) (s string, good, more bool) {
	switch p.tok.kind {
	case tokenString:
		s, more = p.stringValue()
		return s, more, more
	case tokenSymbol, tokenEnd:
		return "", false, p.fail("%s: Expected string, got: %s", fd.Name(), p.tok.quoted())
	}
	p.note(p.tok, "%s: Expected string, got: %s (write it in quotes)", fd.Name(), p.tok.quoted())
	p.next()
	return "", false, !p.broken
}

// stringValue reads string tokens that follow each other as one string.
func (p *parser) stringValue() (string, bool) {
	var b []byte
	for p.tok.kind == tokenString {
		if p.broken {
			return "", false
		}
		b = unescape(b, p.tok.text[1:len(p.tok.text)-1])
		p.next()
	}
	return string(b), !p.broken
}

func expected(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.EnumKind:
		return "integer or identifier"
	case protoreflect.BoolKind:
		return "true or false"
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return "double"
	}
	return "integer"
}

// number converts one token, with the sign before it, to the field's type; msg says why it cannot.
func number(fd protoreflect.FieldDescriptor, t token, minus bool) (v protoreflect.Value, msg string) {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return boolValue(fd, t, minus)
	case protoreflect.EnumKind:
		return enumValue(fd, t, minus)
	case protoreflect.FloatKind:
		f, msg := floatValue(fd, t, minus)
		// By way of double, and so rounded twice, as protobuf does it.
		return protoreflect.ValueOfFloat32(float32(f)), msg
	case protoreflect.DoubleKind:
		f, msg := floatValue(fd, t, minus)
		return protoreflect.ValueOfFloat64(f), msg
	case protoreflect.Int32Kind:
		i, msg := intValue(fd, t, minus, 32)
		return protoreflect.ValueOfInt32(int32(i)), msg
	case protoreflect.Int64Kind:
		i, msg := intValue(fd, t, minus, 64)
		return protoreflect.ValueOfInt64(i), msg
	case protoreflect.Uint32Kind:
		u, msg := uintValue(fd, t, minus, 32)
		return protoreflect.ValueOfUint32(uint32(u)), msg
	case protoreflect.Uint64Kind:
		u, msg := uintValue(fd, t, minus, 64)
		return protoreflect.ValueOfUint64(u), msg
	}
	return v, fmt.Sprintf("%s: fields of type %s are not part of Caffe's format", fd.Name(), fd.Kind())
}

// magnitude is the value of an integer token, which text format writes as C does.
func magnitude(fd protoreflect.FieldDescriptor, t token) (uint64, string) {
	if t.kind != tokenInt {
		return 0, fmt.Sprintf("%s: Expected %s, got: %s", fd.Name(), expected(fd), t.quoted())
	}
	base, digits := 10, t.text
	switch {
	case len(digits) > 2 && (digits[1] == 'x' || digits[1] == 'X'):
		base, digits = 16, digits[2:]
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	u, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, fmt.Sprintf("%s: Integer out of range (%s)", fd.Name(), t.quoted())
	}
	return u, ""
}

func intValue(fd protoreflect.FieldDescriptor, t token, minus bool, bits uint) (int64, string) {
	u, msg := magnitude(fd, t)
	if msg != "" {
		return 0, msg
	}
	limit := uint64(1) << (bits - 1)
	switch {
	case minus && u <= limit:
		return -int64(u), ""
	case !minus && u < limit:
		return int64(u), ""
	}
	sign := ""
	if minus {
		sign = "-"
	}
	return 0, fmt.Sprintf("%s: Integer out of range (%s%s)", fd.Name(), sign, t.text)
}

func uintValue(fd protoreflect.FieldDescriptor, t token, minus bool, bits uint) (uint64, string) {
	if minus {
		return 0, fmt.Sprintf("%s: Expected integer, got: - (it cannot be negative)", fd.Name())
	}
	u, msg := magnitude(fd, t)
	if msg == "" && bits < 64 && u>>bits != 0 {
		msg = fmt.Sprintf("%s: Integer out of range (%s)", fd.Name(), t.text)
	}
	return u, msg
}

func floatValue(fd protoreflect.FieldDescriptor, t token, minus bool) (float64, string) {
	f, ok := 0.0, true
	switch t.kind {
	case tokenIdent:
		switch strings.ToLower(t.text) {
		case "inf", "infinity":
			f = math.Inf(1)
		case "nan":
			f = math.NaN()
		default:
			ok = false
		}
	case tokenInt, tokenFloat:
		if len(t.text) > 1 && t.kind == tokenInt && t.text[0] == '0' {
			return 0, fmt.Sprintf("%s: Expect a decimal number, got: %s", fd.Name(), t.quoted())
		}
		// Out of range is infinity, or zero, and no error.
		f, _ = strconv.ParseFloat(strings.TrimRight(t.text, "fF"), 64)
	default:
		ok = false
	}
	if !ok {
		return 0, fmt.Sprintf("%s: Expected double, got: %s", fd.Name(), t.quoted())
	}
	if minus {
		f = -f
	}
	return f, ""
}

func boolValue(fd protoreflect.FieldDescriptor, t token, minus bool) (v protoreflect.Value, msg string) {
	if t.kind == tokenInt && !minus {
		if u, msg := magnitude(fd, t); msg == "" && u <= 1 {
			return protoreflect.ValueOfBool(u == 1), ""
		}
		return v, fmt.Sprintf("%s: Integer out of range (%s): a boolean is true or false.", fd.Name(), t.quoted())
	}
	if !minus {
		switch t.text {
		case "true", "True", "t":
			return protoreflect.ValueOfBool(true), ""
		case "false", "False", "f":
			return protoreflect.ValueOfBool(false), ""
		}
	}
	return v, fmt.Sprintf("Invalid value for boolean field %q. Value: %q.", fd.Name(), t.quoted())
}

func enumValue(fd protoreflect.FieldDescriptor, t token, minus bool) (v protoreflect.Value, msg string) {
	values := fd.Enum().Values()
	var found protoreflect.EnumValueDescriptor
	switch t.kind {
	case tokenIdent:
		if !minus {
			found = values.ByName(protoreflect.Name(t.text))
		}
	case tokenInt:
		if i, msg := intValue(fd, t, minus, 32); msg == "" {
			found = values.ByNumber(protoreflect.EnumNumber(i))
		}
	default:
		return v, fmt.Sprintf("%s: Expected integer or identifier, got: %s", fd.Name(), t.quoted())
	}
	if found != nil {
		return protoreflect.ValueOfEnum(found.Number()), ""
	}
	hint := enumHint(fd.Enum(), t.text)
	key := forkKey{string(fd.ContainingMessage().Name()), string(fd.Name()) + "=" + t.text}
	if fork, known := forkFields[key]; known {
		hint = fork.refusal(key.message)
	}
	return v, fmt.Sprintf("Unknown enumeration value of %q for field %q.%s", t.text, fd.Name(), hint)
}

func enumHint(ed protoreflect.EnumDescriptor, name string) string {
	names := enumNames(ed)
	if near := Nearest(name, names); near != "" {
		return fmt.Sprintf(" did you mean %s?", near)
	}
	if len(names) <= 8 {
		return " Known: " + strings.Join(names, ", ") + "."
	}
	return ""
}

var simpleEscapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'\\': '\\', '?': '?', '\'': '\'', '"': '"',
}

// unescape appends s with its C escapes resolved. What is no escape stays as it is.
func unescape(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			i++
			continue
		}
		c := s[i+1]
		i += 2
		switch simple, ok := simpleEscapes[c]; {
		case ok:
			b = append(b, simple)
		case '0' <= c && c <= '7':
			n := digits(s[i-1:], 3, func(c byte) bool { return '0' <= c && c <= '7' })
			u, _ := strconv.ParseUint(s[i-1:i-1+n], 8, 16)
			b = append(b, byte(u))
			i += n - 1
		case (c == 'x' || c == 'X') && i < len(s) && isHex(s[i]):
			n := digits(s[i:], 2, isHex)
			u, _ := strconv.ParseUint(s[i:i+n], 16, 16)
			b = append(b, byte(u))
			i += n
		case c == 'u' && digits(s[i:], 4, isHex) == 4:
			b, i = appendRune(b, s[i:i+4]), i+4
		case c == 'U' && digits(s[i:], 8, isHex) == 8:
			b, i = appendRune(b, s[i:i+8]), i+8
		default:
			b = append(b, '\\', c)
		}
	}
	return b
}

func digits(s string, most int, ok func(byte) bool) int {
	n := 0
	for n < len(s) && n < most && ok(s[n]) {
		n++
	}
	return n
}

func appendRune(b []byte, hex string) []byte {
	u, _ := strconv.ParseUint(hex, 16, 32)
	if u > utf8.MaxRune {
		u = utf8.RuneError
	}
	return utf8.AppendRune(b, rune(u))
}
