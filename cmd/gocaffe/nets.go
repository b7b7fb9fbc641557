package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// readNet reads -model, and logs what Caffe logs when it upgrades a file.
func (a *app) readNet() (*proto.NetFile, error) {
	f, err := proto.ReadNet(a.flags.model)
	if err != nil {
		return nil, fatalAt("upgrade_proto.cpp", 90, err)
	}
	a.logRead(f.Log, f.Warnings)
	return f, nil
}

// logRead logs what the reading of a file had to say.
func (a *app) logRead(lines []proto.LogLine, warnings []string) {
	severities := map[byte]glog.Severity{'I': glog.Info, 'W': glog.Warning, 'E': glog.Error}
	for _, l := range lines {
		a.log.Log(severities[l.Severity], "upgrade_proto.cpp", 1, l.Text)
	}
	for _, w := range warnings {
		a.log.Warningf("gocaffe.go", 1, "%s", w)
	}
}

// newNet builds the net of -model in a phase, with Open, Log and Random set.
func (a *app) newNet(phase caffepb.Phase, o net.Options) (*net.Net, error) {
	f, err := a.readNet()
	if err != nil {
		return nil, err
	}
	o.State, o.Log, o.Open, o.Sink = a.flags.state(phase), a.log, a.openSource, a.openSink
	n, err := net.New(f, o)
	return n, fatalAt("net.cpp", 53, err)
}

// copyTrained reads the files of -weights into the net in their order.
func (a *app) copyTrained(n *net.Net) error {
	for _, file := range strings.Split(a.flags.weights, ",") {
		file = strings.TrimSpace(file)
		w, err := readWeights(file)
		if err != nil {
			return err
		}
		copied, err := n.CopyTrained(w, file)
		if err != nil {
			return fatalAt("net.cpp", 759, err)
		}
		if len(copied.Initial) > 0 {
			a.log.Warningf("gocaffe.go", 1, "%s has no weights for %s: they keep their initial values", file, list(copied.Initial))
		}
	}
	n.Trim()
	return nil
}

// list joins names, cut short where there are many.
func list(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more layers", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// closing closes something at the end of a command: err, or what closing it gave.
func closing(c interface{ Close() error }, err *error) { *err = errors.Join(*err, c.Close()) }
