package main

import (
	"fmt"
	"regexp"

	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
)

// trainLog is the solver's log in the style that the flags ask for.
func (a *app) trainLog() net.Logger {
	if a.flags.logStyle == "2015" {
		return log2015{a.log}
	}
	return a.log
}

// log2015 writes display lines as Caffe did before 2016, which some parsers still expect: "Iteration 100, loss = 0.5".
type log2015 struct{ *glog.Logger }

var iterationRate = regexp.MustCompile(`^(Iteration \d+) \(\S+ iter/s, \S+s/\d+ iters\)(, loss = )`)

// Infof leaves the iterations a second out.
func (l log2015) Infof(file string, line int, format string, args ...any) {
	l.Log(glog.Info, file, line, iterationRate.ReplaceAllString(fmt.Sprintf(format, args...), "$1$2"))
}
