// Package glog writes Caffe's log: lines of glog's format before version 0.5, the one that Caffe's own scripts and those of others
// parse,
//
//	I1123 18:00:42.880641 11714 solver.cpp:239] Iteration 0, loss = 2.3
//
// without the year, in exactly four fields before the text, file and line as Caffe names them. Lines of a value that spans several
// follow without a prefix.
package glog

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Severity is how serious a line is.
type Severity int

// The severities in glog's order and with its numbers (--minloglevel=2 keeps Error and Fatal).
const (
	Info Severity = iota
	Warning
	Error
	Fatal
)

func (s Severity) String() string { return [...]string{"INFO", "WARNING", "ERROR", "FATAL"}[s] }

// Logger writes log lines. The zero Logger drops everything; New gives one that writes. It may be used by several goroutines.
type Logger struct {
	mu       sync.Mutex
	settings Settings
	stderr   io.Writer
	program  string
	files    [Fatal + 1]*os.File
	failed   bool // a log file could not be written, and that was said
	bar      bar
	now      func() time.Time
	pid      int
}

// New gives a logger of the named program (part of the names of log files) that writes to stderr as the settings say.
func New(program string, stderr io.Writer, s Settings) *Logger {
	return &Logger{settings: s, stderr: stderr, program: program, bar: newBar(stderr), now: time.Now, pid: os.Getpid()}
}

// Infof logs a line of Caffe's source file and line.
func (l *Logger) Infof(file string, line int, format string, args ...any) {
	l.Log(Info, file, line, fmt.Sprintf(format, args...))
}

// Warningf logs a warning.
func (l *Logger) Warningf(file string, line int, format string, args ...any) {
	l.Log(Warning, file, line, fmt.Sprintf(format, args...))
}

// Errorf logs an error that the program survives. Some tools take any such line for the failure of the job.
func (l *Logger) Errorf(file string, line int, format string, args ...any) {
	l.Log(Error, file, line, fmt.Sprintf(format, args...))
}

// Log writes one message of any severity. Fatal is written and no more: the exit is the caller's.
func (l *Logger) Log(sev Severity, file string, line int, text string) {
	if l == nil || l.stderr == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(sev) < l.settings.MinLogLevel && sev != Fatal {
		return
	}
	msg := l.prefix(sev, file, line) + strings.TrimSuffix(text, "\n") + "\n"
	if l.settings.onStderr(sev) {
		l.bar.clear()
		io.WriteString(l.stderr, msg)
		l.bar.draw()
	}
	if l.settings.toFiles() {
		l.writeFiles(sev, msg)
	}
}

// prefix is the severity's letter, month and day, the time with microseconds, the process at width 5 and the place. Four fields.
func (l *Logger) prefix(sev Severity, file string, line int) string {
	return fmt.Sprintf("%c%s %5d %s:%d] ", "IWEF"[sev], l.now().Format("0102 15:04:05.000000"), l.pid, file, line)
}

// Close clears the progress line and closes the log files.
func (l *Logger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bar.clear()
	l.bar.text = ""
	var first error
	for i, f := range l.files {
		if f != nil {
			if err := f.Close(); err != nil && first == nil {
				first = err
			}
			l.files[i] = nil
		}
	}
	return first
}
