package proto

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

var update = flag.Bool("update", false, "rewrite testdata/schema.txt")

// TestSchema pins names, numbers, types and defaults: a change of any of them makes files unreadable.
func TestSchema(t *testing.T) {
	const path = "testdata/schema.txt"
	got := describe(caffepb.File_caffe_proto)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := mustRead(t, path)
	if bytes.Equal(got, want) {
		return
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(string(got), "\n") {
		if i >= len(lines) || line != lines[i] {
			t.Fatalf("line %d of the schema is %q, not as %s has it", i+1, line, path)
		}
	}
	t.Fatalf("the schema ends before %s does", path)
}

func describe(file protoreflect.FileDescriptor) []byte {
	var b bytes.Buffer
	enums := func(list protoreflect.EnumDescriptors) {
		for i := range list.Len() {
			for j := range list.Get(i).Values().Len() {
				v := list.Get(i).Values().Get(j)
				fmt.Fprintf(&b, "enum %s %s %d\n", list.Get(i).FullName(), v.Name(), v.Number())
			}
		}
	}
	enums(file.Enums())
	for i := range file.Messages().Len() {
		md := file.Messages().Get(i)
		enums(md.Enums())
		for j := range md.Fields().Len() {
			describeField(&b, md.Fields().Get(j))
		}
	}
	return b.Bytes()
}

func describeField(b *bytes.Buffer, fd protoreflect.FieldDescriptor) {
	typ := fd.Kind().String()
	switch {
	case fd.Message() != nil:
		typ = string(fd.Message().FullName())
	case fd.Enum() != nil:
		typ = string(fd.Enum().FullName())
	}
	fmt.Fprintf(b, "field %s %s %d %s %s", fd.Parent().FullName(), fd.Name(), fd.Number(), fd.Cardinality(), typ)
	if fd.IsPacked() {
		b.WriteString(" packed")
	}
	switch {
	case fd.HasDefault() && fd.Enum() != nil:
		fmt.Fprintf(b, " default %s", fd.DefaultEnumValue().Name())
	case fd.HasDefault():
		fmt.Fprintf(b, " default %v", fd.Default())
	}
	b.WriteByte('\n')
}
