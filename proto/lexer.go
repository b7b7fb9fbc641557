package proto

import (
	"bytes"
	"fmt"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenIdent
	tokenInt    // decimal, 0x hexadecimal or 0 octal
	tokenFloat  // with a point, an exponent or the suffix f
	tokenString // quotes and escapes as written
	tokenSymbol // one byte
)

type token struct {
	kind      tokenKind
	text      string
	line, col int32
}

// is reports whether the token is the symbol c.
func (t token) is(c byte) bool { return t.kind == tokenSymbol && t.text[0] == c }

// quoted is the token as an error shows it.
func (t token) quoted() string {
	if t.kind == tokenEnd {
		return "the end of the file"
	}
	const most = 40
	if len(t.text) > most {
		return fmt.Sprintf("%.*s...", most, t.text)
	}
	return t.text
}

// lexer cuts text format into tokens. Its rules are those of protobuf's tokenizer in the mode that
// TextFormat uses: comments start with #, numbers may end in f, strings end with their line.
type lexer struct {
	text      string
	off       int
	lineStart int
	line      int32
}

func newLexer(text []byte) *lexer {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	return &lexer{text: string(text), line: 1}
}

// next returns the next token. A string or number that is not well formed comes back as the text
// read so far, with a message.
func (l *lexer) next() (token, string) {
	l.skipBlank()
	t := token{line: l.line, col: int32(l.off - l.lineStart + 1)}
	if l.off == len(l.text) {
		return t, ""
	}
	start, msg := l.off, ""
	switch c := l.text[l.off]; {
	case isLetter(c):
		t.kind = tokenIdent
		l.skipWhile(isWord)
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		t.kind, msg = l.number()
	case c == '"' || c == '\'':
		t.kind = tokenString
		msg = l.quotedString(c)
	default:
		t.kind = tokenSymbol
		l.off++
		if c < ' ' || c > '~' {
			msg = fmt.Sprintf("Invalid character 0x%02x in text.%s", c, binaryHint(l.text))
		}
	}
	t.text = l.text[start:l.off]
	return t, msg
}

// binaryHint says what is wrong when a file is given that is not text at all.
func binaryHint(text string) string {
	head := text
	if len(head) > 512 {
		head = head[:512]
	}
	if bytes.IndexByte([]byte(head), 0) >= 0 {
		return " The file looks binary, not like a prototxt."
	}
	return ""
}

func (l *lexer) peek(n int) byte {
	if l.off+n < len(l.text) {
		return l.text[l.off+n]
	}
	return 0
}

func (l *lexer) skipWhile(ok func(byte) bool) {
	for l.off < len(l.text) && ok(l.text[l.off]) {
		l.off++
	}
}

func (l *lexer) skipBlank() {
	for l.off < len(l.text) {
		switch l.text[l.off] {
		case '\n':
			l.off++
			l.line++
			l.lineStart = l.off
		case ' ', '\t', '\r', '\v', '\f':
			l.off++
		case '#':
			l.skipWhile(func(c byte) bool { return c != '\n' })
		default:
			return
		}
	}
}

// number reads an integer or a float; a sign is a symbol of its own.
func (l *lexer) number() (tokenKind, string) {
	if l.text[l.off] == '0' && (l.peek(1) == 'x' || l.peek(1) == 'X') {
		l.off += 2
		start := l.off
		l.skipWhile(isHex)
		if l.off == start {
			return tokenInt, `"0x" must be followed by hex digits.`
		}
		return tokenInt, l.numberEnd()
	}
	kind := tokenInt
	l.skipWhile(isDigit)
	if l.peek(0) == '.' {
		kind = tokenFloat
		l.off++
		l.skipWhile(isDigit)
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		kind = tokenFloat
		l.off++
		if c := l.peek(0); c == '+' || c == '-' {
			l.off++
		}
		if !isDigit(l.peek(0)) {
			return kind, `"e" must be followed by exponent.`
		}
		l.skipWhile(isDigit)
	}
	if c := l.peek(0); c == 'f' || c == 'F' {
		kind = tokenFloat
		l.off++
	}
	return kind, l.numberEnd()
}

func (l *lexer) numberEnd() string {
	switch c := l.peek(0); {
	case isLetter(c) || isDigit(c):
		return "Need space between number and identifier."
	case c == '.':
		return "Already saw decimal point or exponent; can't have another one."
	}
	return ""
}

func (l *lexer) quotedString(quote byte) string {
	for l.off++; l.off < len(l.text); l.off++ {
		switch l.text[l.off] {
		case quote:
			l.off++
			return ""
		case '\n':
			return "String literals cannot cross line boundaries."
		case '\\':
			if l.peek(1) != '\n' && l.off+1 < len(l.text) {
				l.off++
			}
		}
	}
	return "Unexpected end of string."
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool { return isLetter(c) || isDigit(c) }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
