package proto

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// diagnose looks for the place where bytes stop being a message, and says what is wrong there. It
// runs only after decoding has failed; it is "" where the bytes are well formed as such.
func diagnose(data []byte, md protoreflect.MessageDescriptor) string {
	w := &wireCheck{size: len(data)}
	w.message(data, md, "", 0)
	return w.found
}

type wireCheck struct {
	size  int
	found string
}

// message walks the fields of md in b, which begins at byte base of the file.
func (w *wireCheck) message(b []byte, md protoreflect.MessageDescriptor, path string, base int) bool {
	seen := map[protoreflect.Name]int{}
	for off := 0; off < len(b); {
		num, typ, tag := protowire.ConsumeTag(b[off:])
		if tag < 0 {
			return w.bad(path, base+off, "no field begins here")
		}
		fd := md.Fields().ByNumber(num)
		name := elementPath(path, fd, num, seen)
		value := off + tag
		if typ == protowire.BytesType {
			n, size := protowire.ConsumeVarint(b[value:])
			if left := len(b) - value - size; size > 0 && n > uint64(left) {
				return w.short(name, base+value, n, uint64(left))
			}
		}
		n := protowire.ConsumeFieldValue(num, typ, b[value:])
		if n < 0 {
			return w.bad(name, base+value, protowire.ParseError(n).Error())
		}
		if typ == protowire.BytesType && fd != nil && !w.bytes(b[value:value+n], fd, name, base+value) {
			return false
		}
		off = value + n
	}
	return true
}

// bytes checks the inside of a field with a length: a message, or packed numbers.
func (w *wireCheck) bytes(b []byte, fd protoreflect.FieldDescriptor, name string, base int) bool {
	inner, n := protowire.ConsumeBytes(b)
	base += n - len(inner)
	if fd.Message() != nil {
		return w.message(inner, fd.Message(), name, base)
	}
	width := 0
	switch fd.Kind() {
	case protoreflect.FloatKind:
		width = 4
	case protoreflect.DoubleKind:
		width = 8
	}
	if fd.IsList() && width > 0 && len(inner)%width != 0 {
		return w.bad(name, base, fmt.Sprintf("%d bytes are not a multiple of %d", len(inner), width))
	}
	return true
}

func elementPath(path string, fd protoreflect.FieldDescriptor, num protowire.Number, seen map[protoreflect.Name]int) string {
	name := fmt.Sprintf("field %d", num)
	if fd != nil {
		name = string(fd.Name())
		if fd.IsList() && fd.Message() != nil {
			name = indexed(name, seen[fd.Name()])
			seen[fd.Name()]++
		}
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func (w *wireCheck) bad(path string, at int, why string) bool {
	if path != "" {
		path = " (" + path + ")"
	}
	w.found = fmt.Sprintf("byte %d of %d%s: %s", at, w.size, path, why)
	return false
}

func (w *wireCheck) short(path string, at int, need, left uint64) bool {
	return w.bad(path, at, fmt.Sprintf("%d bytes announced, %d left: the file is truncated or damaged", need, left))
}
