package glog

import (
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// Progress is where a training stands.
type Progress struct {
	Iteration, MaxIter int
	Rate               float64 // iterations a second
	Loss               float32
}

func (p Progress) String() string {
	s := fmt.Sprintf("Iteration %d/%d  %s it/s  loss %s", p.Iteration, p.MaxIter, G(p.Rate), G(p.Loss))
	if left := p.MaxIter - p.Iteration; p.Rate > 0 && left >= 0 {
		d := time.Duration(float64(left) / p.Rate * float64(time.Second))
		s += "  " + d.Round(time.Second).String() + " left"
	}
	return s
}

// Progress redraws the progress line, at most ten times a second. Where stderr is no terminal it does nothing.
func (l *Logger) Progress(p Progress) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.bar.on || l.now().Sub(l.bar.drawn) < 100*time.Millisecond {
		return
	}
	l.bar.drawn = l.now()
	l.bar.clear()
	l.bar.text = p.String()
	l.bar.draw()
}

// bar is the line at the bottom of a terminal. It is erased before a log line and drawn again after it, so that the log
// itself never holds a part of it.
type bar struct {
	w     io.Writer
	on    bool
	width func() int
	text  string
	drawn time.Time
}

func newBar(w io.Writer) bar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return bar{}
	}
	return bar{w: w, on: true, width: func() int {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 1 {
			return n
		}
		return 80
	}}
}

func (b *bar) clear() {
	if b.on && b.text != "" {
		io.WriteString(b.w, "\r\x1b[K")
	}
}

func (b *bar) draw() {
	if !b.on || b.text == "" {
		return
	}
	text := b.text
	for limit := b.width() - 1; utf8.RuneCountInString(text) > limit; {
		_, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n]
	}
	io.WriteString(b.w, text)
}
