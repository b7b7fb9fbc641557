package main

import (
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
)

// openSource opens the source of a data layer.
func (a *app) openSource(l *spec.Layer, draw func() uint32) (net.Source, error) {
	return nil, l.Errorf("no reader of this type in this build")
}
