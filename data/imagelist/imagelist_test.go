package imagelist

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	got, err := Parse("l.txt", "a.jpg 3\r\n\n  b c.jpg -1 \nd.jpg\t 2\t\ne.jpg 7", Options{})
	want := []Entry{{"a.jpg", 3, 1}, {"  b c.jpg", -1, 3}, {"d.jpg\t", 2, 4}, {"e.jpg", 7, 5}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestErrors(t *testing.T) {
	for line, want := range map[string]string{
		"a.jpg":             `l.txt:2: no label after "a.jpg"`,
		"a.jpg\t3":          `l.txt:2: no label after "a.jpg\t3"`,
		"a.jpg x":           `l.txt:2: label "x" of "a.jpg" is not an integer`,
		"a.jpg 1.5":         `l.txt:2: label "1.5" of "a.jpg" is not an integer`,
		"a.jpg 99999999999": `l.txt:2: label 99999999999 of "a.jpg" does not fit in 32 bits`,
		" 3":                `l.txt:2: no path before the label "3"`,
	} {
		_, err := Parse("l.txt", "ok.jpg 0\n"+line+"\nok.jpg 1\n", Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q", line, err, want)
		}
	}
	_, err := Parse("l.txt", strings.Repeat("bad\n", 25), Options{})
	if err == nil || !strings.Contains(err.Error(), "l.txt:10: ") || !strings.HasSuffix(err.Error(), "l.txt: and 15 more bad lines") {
		t.Errorf("got error %v, want ten lines and a count", err)
	}
	if _, err := Read("nope.txt", Options{}); err == nil || !strings.Contains(err.Error(), "nope.txt: no such file") {
		t.Errorf("got error %v for a missing list", err)
	}
}

// What BVLC Caffe makes of such lines.
func TestCompat(t *testing.T) {
	got, err := Parse("l.txt", "a.jpg 3\r\na.jpg x\n\na.jpg\n12.jpg\na 3.7\na\t3\nb -4x\nc 4294967297\nd ", Options{Compat: true})
	want := []Entry{{"a.jpg", 3, 1}, {"a.jpg", 0, 2}, {"", 0, 3}, {"a.jpg", 0, 4}, {"12.jpg", 12, 5}, {"a", 3, 6}, {"a\t3", 0, 7},
		{"b", -4, 8}, {"c", 1, 9}, {"d", 0, 10}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if got, err := Read("nope.txt", Options{Compat: true}); err != nil || len(got) != 0 {
		t.Errorf("a missing list: got %v, %v; want an empty one", got, err)
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(path, []byte("x.png 4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path, Options{})
	if want := []Entry{{"x.png", 4, 1}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a.jpg 3\nb.jpg x\n")
	f.Add("a b c\t9\r\n\n 1")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := Parse("l", text, Options{})
		compat, errCompat := Parse("l", text, Options{Compat: true})
		if errCompat != nil {
			t.Fatalf("compat refuses %q: %v", text, errCompat)
		}
		if err != nil {
			return
		}
		for _, e := range entries {
			line := strings.Split(text, "\n")[e.Line-1]
			if !strings.HasPrefix(line, e.Path+" ") {
				t.Errorf("%q: path %q", line, e.Path)
			}
		}
		if len(entries) > len(compat) {
			t.Errorf("%d entries, compat has %d", len(entries), len(compat))
		}
	})
}
