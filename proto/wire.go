package proto

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// MaxBinary is the size in bytes at which protobuf ends: its sizes are 32-bit and signed, so
// nothing reads a longer message.
const MaxBinary = math.MaxInt32

// ErrTooLarge is the error of a message longer than MaxBinary.
var ErrTooLarge = errors.New("protobuf messages end at 2 GiB")

// ReadSolverState reads a .solverstate in protobuf format.
func ReadSolverState(path string) (*caffepb.SolverState, error) {
	state := new(caffepb.SolverState)
	if err := ReadBinary(path, state); err != nil {
		return nil, err
	}
	return state, nil
}

// ReadBlob reads a .binaryproto, such as a mean image.
func ReadBlob(path string) (*caffepb.BlobProto, error) {
	blob := new(caffepb.BlobProto)
	if err := ReadBinary(path, blob); err != nil {
		return nil, err
	}
	return blob, nil
}

// ReadBinary reads a file that holds one message in protobuf's wire format. The error for a file
// that does not hold one says at which byte, and where known why.
func ReadBinary(path string, m proto.Message) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > MaxBinary {
		return fmt.Errorf("%s: %s has %d bytes, but %w; larger weights are kept as HDF5 (.caffemodel.h5)",
			parseFailure(m), path, info.Size(), ErrTooLarge)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return notFound(path)
	}
	if err == nil && info.Mode().IsRegular() && info.Size() >= largeFile {
		if readLarge(path, info.Size(), m) == nil {
			return nil
		}
		proto.Reset(m) // all bytes together tell what is wrong
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read: %w", err)
	}
	return UnmarshalBinary(path, data, m)
}

// UnmarshalBinary is ReadBinary for bytes that are in memory; name stands for the file in errors.
func UnmarshalBinary(name string, data []byte, m proto.Message) error {
	if why := notWire(data); why != "" {
		return fmt.Errorf("%s: %s: %s", parseFailure(m), name, why)
	}
	err := proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(data, m)
	if err == nil {
		err = finish(m)
	}
	if err == nil {
		return nil
	}
	if d := diagnose(data, m.ProtoReflect().Descriptor()); d != "" {
		return fmt.Errorf("%s: %s: %s", parseFailure(m), name, d)
	}
	return fmt.Errorf("%s: %s: %w", parseFailure(m), name, err)
}

// finish checks a message that was read without its required fields.
func finish(m proto.Message) error {
	if net, ok := m.(*caffepb.NetParameter); ok {
		dropForeignClip(net)
	}
	return proto.CheckInitialized(m)
}

// dropForeignClip: Intel Caffe, jolibrain and PSPNet have other messages under the number of
// clip_param, the only message of ours that is not complete without some of its fields. Without this
// their weights could not be read.
func dropForeignClip(net *caffepb.NetParameter) {
	for _, layer := range net.Layer {
		if layer.ClipParam != nil && layer.GetType() != "Clip" && proto.CheckInitialized(layer.ClipParam) != nil {
			layer.ClipParam = nil
		}
	}
}

func parseFailure(m proto.Message) string {
	return fmt.Sprintf("Failed to parse %s file", m.ProtoReflect().Descriptor().Name())
}

// notWire recognises what is often given in place of a binary file.
func notWire(data []byte) string {
	head := data[:min(len(data), 256)]
	switch {
	case len(data) == 0:
		return "the file is empty"
	case bytes.HasPrefix(head, []byte("\x89HDF\r\n")):
		return "this is an HDF5 file; its name must end in .h5"
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return "this is a Git LFS pointer, not the file itself; run git lfs pull"
	case bytes.HasPrefix(bytes.TrimSpace(bytes.ToLower(head)), []byte("<!doctype html")),
		bytes.HasPrefix(bytes.TrimSpace(bytes.ToLower(head)), []byte("<html")):
		return "this is an HTML page, not the file itself; download it again"
	}
	return ""
}

// WriteBinary writes a message in protobuf's wire format, fields in order of their numbers, as
// Caffe's own files have them. A message longer than MaxBinary is refused with ErrTooLarge before
// anything is written.
func WriteBinary(w io.Writer, m proto.Message) error { return writeBinary(w, m, MaxBinary) }

func writeBinary(w io.Writer, m proto.Message, limit int64) error {
	// A negative size is one that overflowed a 32-bit int.
	if size := int64(proto.Size(m)); size > limit || size < 0 {
		return fmt.Errorf("cannot write %s of %d bytes: %w; set snapshot_format: HDF5",
			m.ProtoReflect().Descriptor().Name(), size, ErrTooLarge)
	}
	if err := proto.CheckInitialized(m); err != nil {
		return fmt.Errorf("cannot write %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return writeFields(w, m.ProtoReflect())
}

// writeFields writes the elements of repeated messages one by one: a net is written layer by layer,
// without a second copy of all weights in memory.
func writeFields(w io.Writer, m protoreflect.Message) error {
	rest := m.New()
	var lists []protoreflect.FieldDescriptor
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.IsList() && fd.Message() != nil {
			lists = append(lists, fd)
		} else {
			rest.Set(fd, v)
		}
		return true
	})
	rest.SetUnknown(m.GetUnknown())
	slices.SortFunc(lists, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number()) - int(b.Number()) })
	for _, fd := range lists {
		if err := writeBelow(w, rest, fd.Number()); err != nil {
			return err
		}
		list := m.Get(fd).List()
		for i := range list.Len() {
			if err := writeElement(w, fd.Number(), list.Get(i).Message().Interface()); err != nil {
				return err
			}
		}
	}
	return writeBelow(w, rest, math.MaxInt32)
}

// writeBelow writes the fields of rest with numbers below end and takes them out of it. The last
// call also writes the unknown fields.
func writeBelow(w io.Writer, rest protoreflect.Message, end protoreflect.FieldNumber) error {
	part := rest.New()
	rest.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Number() < end {
			part.Set(fd, v)
			rest.Clear(fd)
		}
		return true
	})
	if end == math.MaxInt32 {
		part.SetUnknown(rest.GetUnknown())
	}
	data, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(part.Interface())
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func writeElement(w io.Writer, num protoreflect.FieldNumber, m proto.Message) error {
	size := proto.Size(m)
	b := make([]byte, 0, size+2*protowire.SizeVarint(math.MaxUint32))
	b = protowire.AppendTag(b, num, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	b, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true, UseCachedSize: true}.MarshalAppend(b, m)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
