package proto

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// NetFile is a net as its file has it, upgraded to today's layers, with the place of every field.
type NetFile struct {
	Path string
	Net  *caffepb.NetParameter
	// Warnings name what was accepted without being used, each with its place.
	Warnings []string
	// Log is what Caffe logs while it upgrades the file.
	Log []LogLine

	root   *node   // the whole file, before upgrades
	layers []*node // parallel to Net.Layer
	v1     []*node // parallel to Net.Layers, while there are any
}

// LogLine is a line for the log: Severity is 'I', 'W' or 'E'.
type LogLine struct {
	Severity byte
	Text     string
}

// LayerPos is the place of Net.Layer[i]. A layer made by an upgrade has the place of what it was
// made from.
func (f *NetFile) LayerPos(i int) Pos { return f.FieldPos(i, "") }

// FieldPos is the place of a field of Net.Layer[i], such as "convolution_param.num_output" or
// "param[1].lr_mult". A field that the file does not have is where the message lies that lacks it,
// in the end the layer.
func (f *NetFile) FieldPos(i int, path string) Pos {
	if i < 0 || i >= len(f.layers) {
		return Pos{File: f.Path}
	}
	return f.layers[i].find(path).at(f.Path)
}

// NetPos is the place of a field outside the layers, such as "state.stage[0]".
func (f *NetFile) NetPos(path string) Pos { return f.root.find(path).at(f.Path) }

// ReadNet reads a prototxt file as a NetParameter. An error about its text is a *ParseError and
// lists everything wrong with it.
func ReadNet(path string) (*NetFile, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return ParseNet(path, text)
}

// ParseNet is ReadNet for text that is in memory; name stands for the file in errors.
func ParseNet(name string, text []byte) (*NetFile, error) {
	f := &NetFile{Path: name, Net: new(caffepb.NetParameter)}
	var err error
	if f.root, f.Warnings, err = parseText(name, text, f.Net); err != nil {
		return nil, err
	}
	return f, f.upgrade()
}

// ReadNetBinary reads a .caffemodel, upgraded to today's layers. Only the file's name is known of
// places.
func ReadNetBinary(path string) (*NetFile, error) {
	f := &NetFile{Path: path, Net: new(caffepb.NetParameter)}
	if err := ReadBinary(path, f.Net); err != nil {
		return nil, err
	}
	return f, f.upgrade()
}

// ReadNetWeights reads a .caffemodel for its weights: NetParameter.Layer[i].Blobs by layer name.
func ReadNetWeights(path string) (*caffepb.NetParameter, error) {
	f, err := ReadNetBinary(path)
	if err != nil {
		return nil, err
	}
	return f.Net, nil
}

// errorAt is a *ParseError with one entry.
func (f *NetFile) errorAt(n *node, format string, args ...any) error {
	return parseErrorAt(f.Path, "NetParameter", n, format, args...)
}

func parseErrorAt(file, message string, n *node, format string, args ...any) error {
	return &ParseError{File: file, Message: message, Errors: []*Error{{n.at(file), fmt.Sprintf(format, args...)}}}
}

// readFile reads a whole file, with Caffe's words for one that does not exist.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read: %w", err)
	}
	return data, nil
}

// notFound has Caffe's words.
func notFound(path string) error {
	return fmt.Errorf("%s: %s: %w", "File not found", path, fs.ErrNotExist)
}

func indexed(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }
