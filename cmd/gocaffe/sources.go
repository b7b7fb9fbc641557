package main

import (
	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
)

// openSource opens the source of a data layer. The layer's type has been checked: it is one of those below.
func (a *app) openSource(l *spec.Layer, draw func() uint32) (net.Source, error) {
	o := data.Options{Phase: l.GetPhase(), Random: draw, Log: a.log, Compat: a.flags.bvlc()}
	open := data.OpenData
	if l.GetType() == "ImageData" {
		open = data.OpenImageData
	}
	loader, err := open(l.LayerParameter, o)
	if err != nil {
		return nil, err // not a nil *Loader in a Source
	}
	return loader, nil
}
