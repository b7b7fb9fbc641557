//go:build cgo && linux

package cuda

import (
	"bytes"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

// open gives the engine on the GPU or on the fake driver (make fake-cuda), and skips the
// test where there is neither.
func open(t testing.TB) (*device, *stream) {
	t.Helper()
	d := enginetest.OpenOrSkip(t, Name, engine.Config{}).(*device)
	s, err := newStream(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, s
}

func alloc(t testing.TB, d *device, n int64) *buffer {
	t.Helper()
	b, err := d.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b.(*buffer)
}

// pattern is n bytes that differ from place to place.
func pattern(n int64, seed byte) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i) ^ byte(i>>8) ^ byte(i>>16) + seed
	}
	return p
}

// Copies of every size class arrive in the order of the calls, though large ones go
// through another queue and all through two slots of pinned memory.
func TestCopies(t *testing.T) {
	d, s := open(t)
	for _, n := range []int64{1, smallCopy, smallCopy + 1, slotBytes, 2*slotBytes + 5, 5*slotBytes + 1} {
		b, c := alloc(t, d, n), alloc(t, d, n)
		first, second := pattern(n, 1), pattern(n, 2)
		for range 4 {
			s.CopyIn(b, second)
			s.CopyIn(b, first)
			if err := s.compute.Copy(c.at, b.at, n); err != nil {
				t.Fatal(err)
			}
			s.CopyIn(b, second) // must wait until c has the first
			got, old := make([]byte, n), make([]byte, n)
			s.CopyOut(got, b)
			s.CopyOut(old, c)
			s.Zero(c)
			zero := make([]byte, n)
			s.CopyOut(zero, c)
			if err := s.Sync(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, second) || !bytes.Equal(old, first) || !bytes.Equal(zero, make([]byte, n)) {
				t.Fatalf("%d bytes: copies out of order", n)
			}
		}
	}
}

// The first failure sticks until Sync tells it; then the stream works again.
func TestFirstFailureSticks(t *testing.T) {
	d, s := open(t)
	b := alloc(t, d, 16)
	s.CopyIn(b, make([]byte, 17))
	s.CopyIn(b, pattern(16, 0))
	if err := s.Sync(); err == nil {
		t.Fatal("a copy of 17 bytes into 16 was no error")
	}
	s.CopyIn(b, pattern(16, 3))
	got := make([]byte, 16)
	s.CopyOut(got, b)
	if err := s.Sync(); err != nil || !bytes.Equal(got, pattern(16, 3)) {
		t.Fatalf("%v, %v", err, got)
	}
}

// A flag that a kernel raises is one error, and clear afterwards.
func TestFlags(t *testing.T) {
	d, s := open(t)
	at, release, err := d.flag(func(item int, value float32) error {
		return &engine.LabelError{Label: value, Item: item, Classes: 3}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	raised := []byte{0, 0, 0x10, 0x41, 5, 0, 0, 0} // item 5, 9.0
	if _, err := s.in.send(d.ctx, s.compute, at, raised); err != nil {
		t.Fatal(err)
	}
	want := engine.LabelError{Label: 9, Item: 5, Classes: 3}
	if got, ok := s.Sync().(*engine.LabelError); !ok || *got != want {
		t.Errorf("got %v, want %v", got, &want)
	}
	if err := s.Sync(); err != nil {
		t.Error(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

// What is sent to the same place again and again gets slots, so that it need not wait for
// what still reads the place; without memory for them it goes there directly.
func TestRepeatedCopies(t *testing.T) {
	d, s := open(t)
	const n = smallCopy + 3
	for _, full := range []bool{false, true} {
		b, sum := alloc(t, d, n), alloc(t, d, 6*n)
		s.ahead.full = full
		var want []byte
		for i := range 6 {
			batch := pattern(n, byte(i))
			s.CopyIn(b, batch)
			if err := s.compute.Copy(sum.at+uint64(i*n), b.at, n); err != nil {
				t.Fatal(err)
			}
			want = append(want, batch...)
			clear(batch) // the stream has what it needs
		}
		got := make([]byte, 6*n)
		s.CopyOut(got, sum)
		if err := s.Sync(); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("out of memory: %v: the batches are mixed up (%v)", full, err)
		}
		if has := s.ahead.pairs[target{b.at, n}] != nil; has == full {
			t.Errorf("out of memory: %v, has slots: %v", full, has)
		}
	}
}
