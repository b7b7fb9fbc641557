package main

import (
	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
)

// openSource opens the source of a data layer. The layer's type has been checked: it is one of those below.
func (a *app) openSource(l *spec.Layer, draw func() uint32) (net.Source, error) {
	o := data.Options{Phase: l.GetPhase(), Random: draw, Log: a.log, Compat: a.flags.bvlc()}
	switch l.GetType() {
	case "ImageData":
		return source(data.OpenImageData(l.LayerParameter, o))
	case "DenseImageData":
		return source(data.OpenDenseImageData(l.LayerParameter, o))
	case "HDF5Data":
		return source(data.OpenHDF5Data(l.LayerParameter, o))
	case "WindowData":
		return source(data.OpenWindowData(l.LayerParameter, o))
	}
	return source(data.OpenData(l.LayerParameter, o))
}

// source makes no Source of a nil pointer.
func source[S net.Source](s S, err error) (net.Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openSink opens the files that a layer writes. The layer's type has been checked: it is one of those below.
func (a *app) openSink(l *spec.Layer) (net.Sink, error) {
	if l.GetType() == "DetectionOutput" {
		return sink(data.CreateDetectionFiles(l.GetDetectionOutputParam(), a.log))
	}
	return sink(data.CreateHDF5Output(l.GetHdf5OutputParam().GetFileName(), a.log))
}

// sink makes no Sink of a nil pointer.
func sink[S net.Sink](s S, err error) (net.Sink, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
