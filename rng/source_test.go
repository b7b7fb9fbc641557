package rng

import (
	"bytes"
	"testing"
)

// The C++ standard names the 10000th number of mt19937's default seed ([rand.predef]).
func TestMersenneTwister(t *testing.T) {
	s := New(5489)
	var u uint32
	for range 10000 {
		u = s.Uint32()
	}
	if u != 4123659995 {
		t.Errorf("10000th number of seed 5489 is %d, want 4123659995", u)
	}
}

func TestResume(t *testing.T) {
	for _, drawn := range []int{0, 1, stateLen - 1, stateLen, stateLen + 1, 5000} {
		s := New(7)
		for range drawn {
			s.Uint32()
		}
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		resumed := new(Source)
		if err := resumed.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		for i := range 2 * stateLen {
			if got, want := resumed.Uint32(), s.Uint32(); got != want {
				t.Fatalf("after %d numbers and a resume, number %d is %d, want %d", drawn, i, got, want)
			}
		}
	}
}

func TestUnmarshalRejectsOtherBytes(t *testing.T) {
	good, _ := New(7).MarshalBinary()
	other := bytes.Clone(good)
	other[len(marshalMagic)-1]++
	index := bytes.Clone(good)
	index[len(marshalMagic)+1] = 0xff
	for name, b := range map[string][]byte{"empty": nil, "cut": good[:100], "long": append(bytes.Clone(good), 0), "version": other, "index": index} {
		s := New(3)
		if err := s.UnmarshalBinary(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if s.Uint32() != New(3).Uint32() {
			t.Errorf("%s: a refused state changed the stream", name)
		}
	}
}

// The bulk draws must not depend on how a caller cuts them.
func TestPiecesEqualWhole(t *testing.T) {
	for name, draw := range map[string]func(*Source, []float32){
		"Uniform":     func(s *Source, d []float32) { s.Uniform(d, -1, 1) },
		"Gaussian":    func(s *Source, d []float32) { s.Gaussian(d, 0, 1) },
		"Bernoulli":   func(s *Source, d []float32) { s.Bernoulli(d, 0.4) },
		"Bernoulli32": func(s *Source, d []float32) { s.Bernoulli32(d, 0.4) },
	} {
		whole, pieces := make([]float32, 3000), make([]float32, 3000)
		draw(New(5), whole)
		s := New(5)
		for from, n := 0, 0; from < len(pieces); from, n = from+n, n+13 {
			n = min(n, len(pieces)-from)
			draw(s, pieces[from:from+n])
		}
		if hash(whole) != hash(pieces) {
			t.Errorf("%s in pieces differs from %s at once", name, name)
		}
	}
}

func TestUniformRefusesReversedBounds(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Uniform(1, 0) returned")
		}
	}()
	New(1).Uniform(make([]float32, 1), 1, 0)
}

func BenchmarkBernoulli(b *testing.B) {
	s, dst := New(1), make([]float32, 1<<18)
	b.SetBytes(4 << 18)
	for b.Loop() {
		s.Bernoulli(dst, 0.5)
	}
}

func BenchmarkGaussian(b *testing.B) {
	s, dst := New(1), make([]float32, 1<<18)
	b.SetBytes(4 << 18)
	for b.Loop() {
		s.Gaussian(dst, 0, 0.01)
	}
}
