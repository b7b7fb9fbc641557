package spec

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Print writes the layers as `explain -stage spec` shows them: a line a layer,
// type, name, bottoms and tops with their versions, then what the prototxt sets.
func Print(w io.Writer, layers []*Layer) error {
	var b bytes.Buffer
	for _, l := range layers {
		fmt.Fprintf(&b, "%-5s %s %q", l.GetPhase(), l.GetType(), l.GetName())
		fmt.Fprintf(&b, " (%s) -> (%s)", blobs(l.Bottoms), blobs(l.Tops))
		if s := settings(l.LayerParameter); s != "" {
			b.WriteString(" " + s)
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

func blobs(list []Blob) string {
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = b.String()
	}
	return strings.Join(names, ", ")
}

// shown are the fields that Print shows in its own way, or that only say
// whether the layer is here at all.
var shown = map[protoreflect.Name]bool{
	"name": true, "type": true, "phase": true, "bottom": true, "top": true, "include": true, "exclude": true, "blobs": true,
}

// settings is what else the layer's message sets, on one line.
func settings(p *caffepb.LayerParameter) string {
	var parts []string
	m := p.ProtoReflect()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if m.Has(f) && !shown[f.Name()] {
			parts = append(parts, field(f, m.Get(f)))
		}
	}
	return strings.Join(parts, " ")
}

func field(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if f.IsList() {
		parts := make([]string, v.List().Len())
		for i := range parts {
			parts[i] = element(f, v.List().Get(i))
		}
		return fmt.Sprintf("%s: [%s]", f.Name(), strings.Join(parts, ", "))
	}
	return fmt.Sprintf("%s: %s", f.Name(), element(f, v))
}

func element(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return message(v.Message())
	case protoreflect.EnumKind:
		if e := f.Enum().Values().ByNumber(v.Enum()); e != nil {
			return string(e.Name())
		}
		return fmt.Sprint(v.Enum())
	case protoreflect.StringKind, protoreflect.BytesKind:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}

func message(m protoreflect.Message) string {
	var parts []string
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); m.Has(f) {
			parts = append(parts, field(f, m.Get(f)))
		}
	}
	if len(parts) == 0 && proto.Size(m.Interface()) > 0 {
		return "{unknown fields}"
	}
	return "{" + strings.Join(parts, " ") + "}"
}
