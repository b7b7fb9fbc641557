package data

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// tokens are the words of a file, with their lines.
type tokens struct {
	name string
	text []byte
	line int
	err  error
}

// next is the next word, "" at the end.
func (t *tokens) next() string {
	for len(t.text) > 0 && bytes.IndexByte([]byte(" \t\r\n"), t.text[0]) >= 0 {
		if t.text[0] == '\n' {
			t.line++
		}
		t.text = t.text[1:]
	}
	n := bytes.IndexAny(t.text, " \t\r\n")
	if n < 0 {
		n = len(t.text)
	}
	word := t.text[:n]
	t.text = t.text[n:]
	return string(word)
}

func (t *tokens) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf("%s:%d: %s", t.name, t.line, fmt.Sprintf(format, args...))
	}
}

func (t *tokens) int(what string) int32 {
	word := t.next()
	n, err := strconv.ParseInt(word, 10, 32)
	if err != nil {
		t.fail("%s is %q, want a whole number", what, word)
	}
	return int32(n)
}

func (t *tokens) float(what string) float32 {
	word := t.next()
	f, err := strconv.ParseFloat(word, 32)
	if err != nil || f != f {
		t.fail("%s is %q, want a number", what, word)
	}
	return float32(f)
}

// read reads the window file: for each image "# INDEX PATH CHANNELS HEIGHT WIDTH COUNT", and COUNT times "LABEL OVERLAP X1 Y1 X2 Y2",
// separated by any white space.
func (s *windowSource) read(p *caffepb.WindowDataParameter) error {
	text, err := os.ReadFile(s.name)
	if err != nil {
		return fmt.Errorf("Failed to open window file: %w", err)
	}
	t := &tokens{name: s.name, text: text, line: 1}
	for t.err == nil {
		mark := t.next()
		if mark == "" {
			break
		}
		if mark != "#" {
			t.fail("%q begins an image, want #", mark)
			break
		}
		s.readImage(t, p)
	}
	return t.err
}

func (s *windowSource) readImage(t *tokens, p *caffepb.WindowDataParameter) {
	index := t.int("the index of the image")
	if t.err == nil && int(index) != len(s.images) {
		t.fail("image %d comes where %d is due: they must be numbered from 0 on", index, len(s.images))
	}
	m := windowImage{path: p.GetRootFolder() + t.next()}
	for i, what := range []string{"channels", "height", "width"} {
		m.size[i] = int(t.int(what))
	}
	if t.err == nil && m.size[0] != 3 {
		t.fail("image %s has %d channels, want 3: images are read in colour", m.path, m.size[0])
	}
	m.windows = int(t.int("the number of windows"))
	for i := 0; i < m.windows && t.err == nil; i++ {
		s.readWindow(t, p)
	}
	s.images = append(s.images, m)
}

func (s *windowSource) readWindow(t *tokens, p *caffepb.WindowDataParameter) {
	w := window{image: int32(len(s.images)), label: t.int("a label")}
	w.line = int32(t.line)
	overlap := t.float("an overlap")
	for _, v := range []*int32{&w.x1, &w.y1, &w.x2, &w.y2} {
		*v = t.int("a corner")
	}
	switch {
	case t.err != nil:
	case overlap >= p.GetFgThreshold():
		if w.label <= 0 {
			t.fail("a foreground window (overlap %g) has label %d, want 1 or more", overlap, w.label)
		}
		s.foreground = append(s.foreground, w)
	case overlap < p.GetBgThreshold():
		w.label = 0
		s.background = append(s.background, w)
	}
}
