package npz

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReadGolden(t *testing.T) {
	arrays, err := Read(filepath.FromSlash("../../testdata/golden/random/filler_xavier_1701.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if got := arrays["seed"]; len(got.Shape) != 0 || len(got.Data) != 1 || got.Data[0] != 1701 {
		t.Errorf("seed (an int64 scalar) = %+v, want 1701", got)
	}
	if got := arrays["param/conv/0"]; !reflect.DeepEqual(got.Shape, []int{6, 3, 3, 3}) || len(got.Data) != 162 {
		t.Errorf("param/conv/0 has shape %v and %d elements, want [6 3 3 3] and 162", got.Shape, len(got.Data))
	}
}

func TestRoundTrip(t *testing.T) {
	want := map[string]Array{
		"scalar":  {Shape: []int{}, Data: []float32{7.5}},
		"out/ip1": {Shape: []int{3}, Data: []float32{1, -2, 3e-40}},
		"m":       {Shape: []int{2, 3, 1}, Data: []float32{1, 2, 3, 4, 5, 6}},
		"none":    {Shape: []int{0, 4}, Data: []float32{}},
		"long":    {Shape: []int{40000}, Data: make([]float32, 40000)},
	}
	want["long"].Data[39999] = 1
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := WriteFile(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back something else than was written:\n%v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

// numpy aligns the data to 64 bytes and rejects a header whose dictionary is not Python's: pin the text.
func TestHeader(t *testing.T) {
	for dims, want := range map[string][]int{"()": {}, "(5,)": {5}, "(2, 3)": {2, 3}} {
		var b bytes.Buffer
		a := Array{Shape: want}
		a.Data = make([]float32, a.Count())
		if err := writeArray(&b, a); err != nil {
			t.Fatal(err)
		}
		head := b.Bytes()[:b.Len()-4*len(a.Data)]
		if len(head)%64 != 0 || head[len(head)-1] != '\n' {
			t.Errorf("header of %v is %d bytes, want a multiple of 64 that ends a line", want, len(head))
		}
		if dict := "{'descr': '<f4', 'fortran_order': False, 'shape': " + dims + ", }"; !strings.HasPrefix(string(head[10:]), dict) {
			t.Errorf("header of %v is %q, want %q", want, head[10:], dict)
		}
	}
}

// member is one .npy as numpy would write it.
func member(descr, fortran, shape, data string) string {
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, fortran, shape)
	return "\x93NUMPY\x01\x00" + string([]byte{byte(len(dict)), 0}) + dict + data
}

func archive(t *testing.T, npy string) string {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	w, err := zw.Create("a.npy")
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(npy))
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestElementTypes(t *testing.T) {
	for _, c := range []struct {
		descr, fortran, shape, data string
		want                        []float32
	}{
		{"<f4", "False", "(1,)", "\x00\x00\xc0\x3f", []float32{1.5}},
		{">f4", "False", "(1,)", "\x3f\xc0\x00\x00", []float32{1.5}},
		{"<f8", "False", "()", "\x00\x00\x00\x00\x00\x00\xf8\xbf", []float32{-1.5}},
		{"<i8", "False", "(1,)", "\xfe\xff\xff\xff\xff\xff\xff\xff", []float32{-2}},
		{"<i4", "False", "(2,)", "\x02\x00\x00\x00\xff\xff\xff\xff", []float32{2, -1}},
		{"<u2", "False", "(1,)", "\xff\xff", []float32{65535}},
		{"|i1", "False", "(1,)", "\xff", []float32{-1}},
		{"|u1", "False", "(2, 2)", "\x00\x01\x02\xff", []float32{0, 1, 2, 255}},
		{"|b1", "False", "(2,)", "\x00\x01", []float32{0, 1}},
		{"|u1", "True", "(2, 3)", "\x00\x03\x01\x04\x02\x05", []float32{0, 1, 2, 3, 4, 5}},
	} {
		got, err := Read(archive(t, member(c.descr, c.fortran, c.shape, c.data)))
		if err != nil {
			t.Errorf("%s %s: %v", c.descr, c.shape, err)
		} else if !reflect.DeepEqual(got["a"].Data, c.want) {
			t.Errorf("%s %s fortran=%s: got %v, want %v", c.descr, c.shape, c.fortran, got["a"].Data, c.want)
		}
	}
}

func TestErrorsNameFileAndMember(t *testing.T) {
	for _, c := range []struct{ name, npy, want string }{
		{"cut", member("<f4", "False", "(3,)", "\x00\x00\xc0\x3f"), "does not fit|missing"},
		{"short data", member("<f4", "False", "(20,)", strings.Repeat("\x00", 76)), "missing"},
		{"forged shape", member("<f4", "False", "(2000000000, 2000000000)", ""), "does not fit"},
		{"text", member("<U3", "False", "(1,)", "abc"), "astype"},
		{"no header", "\x93NUMPY\x01\x00\x02\x00{}", "malformed"},
		{"not npy", "hello, world", "NumPy"},
	} {
		_, err := Read(archive(t, c.npy))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		found := false
		for _, part := range strings.Split(c.want, "|") {
			found = found || strings.Contains(err.Error(), part)
		}
		if !found || !strings.Contains(err.Error(), `a.npz: member "a.npy"`) {
			t.Errorf("%s: error %q must name the file and the member and say %q", c.name, err, c.want)
		}
	}
	plain := filepath.Join(t.TempDir(), "plain.npz")
	if err := os.WriteFile(plain, []byte("not a zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(plain); err == nil || !strings.Contains(err.Error(), plain) {
		t.Errorf("a file that is no zip: error %v must name the file", err)
	}
}

func TestWriteChecksCount(t *testing.T) {
	err := Write(&bytes.Buffer{}, map[string]Array{"x": {Shape: []int{2}, Data: []float32{1}}})
	if err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("one element in shape [2]: got %v, want an error that names the member", err)
	}
}
