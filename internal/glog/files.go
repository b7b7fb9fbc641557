package glog

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"time"
)

// writeFiles adds a message to the files of its severity and of those below, as glog does: the INFO file holds everything.
func (l *Logger) writeFiles(sev Severity, msg string) {
	for s := sev; s >= Info; s-- {
		if l.files[s] == nil {
			f, err := l.open(s)
			if err != nil {
				l.complain(err)
				return
			}
			l.files[s] = f
		}
		if _, err := l.files[s].WriteString(msg); err != nil {
			l.complain(err)
			return
		}
	}
}

// complain says once that log files cannot be written: a full disk must not stop a training.
func (l *Logger) complain(err error) {
	if l.failed {
		return
	}
	l.failed = true
	fmt.Fprintf(l.stderr, "%slog files are not written: %v\n", l.prefix(Warning, "logging.cc", 1), err)
}

// open makes <dir>/<program>.<host>.<user>.log.<SEV>.<date>-<time>.<pid> and points the link <dir>/<program>.<SEV> at it.
func (l *Logger) open(s Severity) (*os.File, error) {
	now := l.now()
	host, err := os.Hostname()
	if err != nil {
		host = "(unknown)"
	}
	who := "invalid-user"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	name := fmt.Sprintf("%s.%s.%s.log.%s.%s.%d", l.program, host, who, s, now.Format("20060102-150405"), l.pid)
	f, err := os.OpenFile(filepath.Join(l.settings.LogDir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o664)
	if err != nil {
		return nil, err
	}
	if err := l.header(f, host, now); err != nil {
		f.Close()
		return nil, err
	}
	link := filepath.Join(l.settings.LogDir, l.program+"."+s.String())
	os.Remove(link)
	if err := os.Symlink(name, link); err != nil {
		l.complain(err) // a file system without links still gets its files
	}
	return f, nil
}

func (l *Logger) header(f *os.File, host string, now time.Time) error {
	_, err := fmt.Fprintf(f, "Log file created at: %s\nRunning on machine: %s\nLog line format: [IWEF]mmdd hh:mm:ss.uuuuuu threadid file:line] msg\n",
		now.Format("2006/01/02 15:04:05"), host)
	return err
}
