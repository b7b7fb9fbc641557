package proto

import (
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Text prints a message byte for byte as protobuf's C++ TextFormat does, which is how Caffe logs
// nets and solvers and writes prototxt files.
func Text(m proto.Message) string {
	return string(appendMessage(nil, m.ProtoReflect(), 0))
}

type fieldValue struct {
	fd protoreflect.FieldDescriptor
	v  protoreflect.Value
}

// appendMessage prints the fields that are set in order of their numbers, then the unknown ones.
func appendMessage(b []byte, m protoreflect.Message, depth int) []byte {
	var fields []fieldValue
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		fields = append(fields, fieldValue{fd, v})
		return true
	})
	slices.SortFunc(fields, func(a, b fieldValue) int { return int(a.fd.Number()) - int(b.fd.Number()) })
	for _, f := range fields {
		if !f.fd.IsList() {
			b = appendField(b, f.fd, f.v, depth)
			continue
		}
		for i := range f.v.List().Len() {
			b = appendField(b, f.fd, f.v.List().Get(i), depth)
		}
	}
	return appendUnknown(b, m.GetUnknown(), depth, maxSkip)
}

func appendField(b []byte, fd protoreflect.FieldDescriptor, v protoreflect.Value, depth int) []byte {
	b = appendIndent(b, depth)
	b = append(b, fd.Name()...)
	if fd.Message() != nil {
		b = append(b, " {\n"...)
		b = appendMessage(b, v.Message(), depth+1)
		return append(appendIndent(b, depth), "}\n"...)
	}
	b = append(b, ": "...)
	return append(appendScalar(b, fd, v), '\n')
}

func appendIndent(b []byte, depth int) []byte {
	for range depth {
		b = append(b, "  "...)
	}
	return b
}

func appendScalar(b []byte, fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return appendQuoted(b, v.String())
	case protoreflect.BytesKind:
		return appendQuoted(b, string(v.Bytes()))
	case protoreflect.FloatKind:
		return appendFloat(b, float32(v.Float()))
	case protoreflect.DoubleKind:
		return appendDouble(b, v.Float())
	case protoreflect.EnumKind:
		if value := fd.Enum().Values().ByNumber(v.Enum()); value != nil {
			return append(b, value.Name()...)
		}
		return strconv.AppendInt(b, int64(v.Enum()), 10)
	case protoreflect.BoolKind:
		return strconv.AppendBool(b, v.Bool())
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(b, v.Uint(), 10)
	}
	return strconv.AppendInt(b, v.Int(), 10)
}

// appendFloat prints six digits if they are enough to tell the value, else nine.
func appendFloat(b []byte, f float32) []byte {
	if s, ok := special(float64(f)); ok {
		return append(b, s...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, float64(f), 'g', 6, 64)
	if back, err := strconv.ParseFloat(string(b[start:]), 32); err == nil && float32(back) == f {
		return b
	}
	return strconv.AppendFloat(b[:start], float64(f), 'g', 9, 64)
}

// appendDouble prints 15 digits if they are enough to tell the value, else 17.
func appendDouble(b []byte, f float64) []byte {
	if s, ok := special(f); ok {
		return append(b, s...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', 15, 64)
	if back, err := strconv.ParseFloat(string(b[start:]), 64); err == nil && back == f {
		return b
	}
	return strconv.AppendFloat(b[:start], f, 'g', 17, 64)
}

func special(f float64) (string, bool) {
	switch {
	case math.IsNaN(f):
		return "nan", true
	case math.IsInf(f, 1):
		return "inf", true
	case math.IsInf(f, -1):
		return "-inf", true
	}
	return "", false
}

// appendQuoted prints a string with C escapes; every byte outside ASCII is octal.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '"' || c == '\'' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// appendUnknown prints fields that the schema does not have, which weight files of forks are full
// of, by number.
func appendUnknown(b, raw []byte, depth, levels int) []byte {
	for len(raw) > 0 {
		num, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			return b
		}
		_, typ, tag := protowire.ConsumeTag(raw)
		b = appendIndent(b, depth)
		b = strconv.AppendInt(b, int64(num), 10)
		b = appendUnknownValue(b, num, typ, raw[tag:n], depth, levels)
		raw = raw[n:]
	}
	return b
}

func appendUnknownValue(b []byte, num protowire.Number, typ protowire.Type, raw []byte, depth, levels int) []byte {
	switch typ {
	case protowire.VarintType:
		v, _ := protowire.ConsumeVarint(raw)
		b = strconv.AppendUint(append(b, ": "...), v, 10)
	case protowire.Fixed32Type:
		v, _ := protowire.ConsumeFixed32(raw)
		b = appendHex(append(b, ": 0x"...), uint64(v), 8)
	case protowire.Fixed64Type:
		v, _ := protowire.ConsumeFixed64(raw)
		b = appendHex(append(b, ": 0x"...), v, 16)
	case protowire.BytesType:
		v, _ := protowire.ConsumeBytes(raw)
		// Bytes that can be read as fields are taken for a message.
		if len(v) == 0 || levels <= 0 || !isFields(v) {
			b = appendQuoted(append(b, ": "...), string(v))
			break
		}
		b = append(b, " {\n"...)
		b = appendUnknown(b, v, depth+1, levels-1)
		b = append(appendIndent(b, depth), '}')
	case protowire.StartGroupType:
		v, _ := protowire.ConsumeGroup(num, raw)
		b = append(b, " {\n"...)
		if levels > 0 {
			b = appendUnknown(b, v, depth+1, levels-1)
		}
		b = append(appendIndent(b, depth), '}')
	}
	return append(b, '\n')
}

func appendHex(b []byte, v uint64, width int) []byte {
	digits := strconv.FormatUint(v, 16)
	for range width - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

func isFields(raw []byte) bool {
	for len(raw) > 0 {
		_, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			return false
		}
		raw = raw[n:]
	}
	return true
}
