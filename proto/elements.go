package proto

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// largeFile is from how many bytes on a file is read element by element.
const largeFile = 1 << 20

// errNotElements says that a file is not what readElements can read. Why it is not is for
// those to find who have all of its bytes.
var errNotElements = errors.New("not a message of complete elements")

// readLarge reads a file's message without a copy of the whole file in memory: a
// .caffemodel layer by layer.
func readLarge(path string, size int64, m proto.Message) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := readElements(bufio.NewReaderSize(f, 1<<16), size, m.ProtoReflect()); err != nil {
		return err
	}
	return finish(m)
}

// readElements reads a message of size bytes: the elements of repeated messages one by one,
// all other fields together. It is what writeFields is for writing.
func readElements(r *bufio.Reader, size int64, m protoreflect.Message) error {
	e := elements{r: r, left: size}
	for e.left > 0 {
		tag, err := e.varint()
		if err != nil {
			return err
		}
		num, typ := protowire.DecodeTag(tag)
		if typ != protowire.BytesType {
			e.rest = protowire.AppendVarint(e.rest, tag)
			if err := e.scalar(typ); err != nil {
				return err
			}
			continue
		}
		content, err := e.bytes()
		if err != nil {
			return err
		}
		fd := m.Descriptor().Fields().ByNumber(num)
		if fd == nil || !fd.IsList() || fd.Message() == nil {
			e.rest = protowire.AppendBytes(protowire.AppendVarint(e.rest, tag), content)
			continue
		}
		list := m.Mutable(fd).List()
		element := list.NewElement()
		if err := unmarshal.Unmarshal(content, element.Message().Interface()); err != nil {
			return err
		}
		list.Append(element)
	}
	return unmarshal.Unmarshal(e.rest, m.Interface())
}

var unmarshal = proto.UnmarshalOptions{AllowPartial: true, Merge: true}

// elements is a message that is being read.
type elements struct {
	r    *bufio.Reader
	left int64  // bytes of the message
	rest []byte // fields that are not elements, as they came
	buf  []byte // the last element
}

func (e *elements) varint() (uint64, error) {
	v, err := binary.ReadUvarint(e.r)
	e.left -= int64(protowire.SizeVarint(v))
	if err != nil || e.left < 0 {
		return 0, errNotElements
	}
	return v, nil
}

// bytes reads a length and as many bytes, which are valid until the next call.
func (e *elements) bytes() ([]byte, error) {
	n, err := e.varint()
	if err != nil || n > uint64(e.left) {
		return nil, errNotElements
	}
	if uint64(cap(e.buf)) < n {
		e.buf = make([]byte, n)
	}
	e.buf = e.buf[:n]
	e.left -= int64(n)
	if _, err := io.ReadFull(e.r, e.buf); err != nil {
		return nil, errNotElements
	}
	return e.buf, nil
}

// scalar copies a field's number to rest. Groups are nothing that Caffe ever wrote.
func (e *elements) scalar(typ protowire.Type) error {
	n := 0
	switch typ {
	case protowire.VarintType:
		v, err := e.varint()
		e.rest = protowire.AppendVarint(e.rest, v)
		return err
	case protowire.Fixed32Type:
		n = 4
	case protowire.Fixed64Type:
		n = 8
	default:
		return errNotElements
	}
	var b [8]byte
	if e.left -= int64(n); e.left < 0 {
		return errNotElements
	}
	if _, err := io.ReadFull(e.r, b[:n]); err != nil {
		return errNotElements
	}
	e.rest = append(e.rest, b[:n]...)
	return nil
}
