// Package rng draws Caffe's random numbers: the Mersenne Twister mt19937 and, on top of it, the distributions of Boost.Random 1.74
// in the float32 arithmetic that Caffe instantiates. A net built here from a random_seed starts from the weights that Caffe would
// draw, and drops and shuffles what Caffe would.
//
// What a distribution takes from the stream is part of its contract: every method says how many numbers it consumes.
package rng

import (
	"encoding/binary"
	"errors"
)

const (
	stateLen = 624 // words of mt19937's state, and numbers that one pass over it yields
	stateMid = 397
)

// Source is one stream of random numbers. Caffe has one for a process, seeded by random_seed before the nets are built, from which
// data layers draw the seeds of their own. A Source is not safe for concurrent use.
type Source struct {
	state [stateLen]uint32
	out   [stateLen]uint32 // state, tempered: what Uint32 returns
	next  int              // index into out; stateLen when used up
}

// New returns the stream of the given seed. A random_seed of 64 bits is truncated to its lower 32, as in Caffe.
func New(seed uint32) *Source {
	s := &Source{next: stateLen}
	s.state[0] = seed
	for i := 1; i < stateLen; i++ {
		prev := s.state[i-1]
		s.state[i] = 1812433253*(prev^prev>>30) + uint32(i)
	}
	return s
}

// Uint32 draws one number, uniform over all of uint32.
func (s *Source) Uint32() uint32 {
	if s.next == stateLen {
		s.refill()
	}
	u := s.out[s.next]
	s.next++
	return u
}

// refill steps the whole state, and tempers it.
func (s *Source) refill() {
	x := &s.state
	for i := 0; i < stateLen-stateMid; i++ {
		x[i] = x[i+stateMid] ^ twist(x[i], x[i+1])
	}
	for i := stateLen - stateMid; i < stateLen-1; i++ {
		x[i] = x[i+stateMid-stateLen] ^ twist(x[i], x[i+1])
	}
	x[stateLen-1] = x[stateMid-1] ^ twist(x[stateLen-1], x[0])
	s.temper()
	s.next = 0
}

func twist(upper, lower uint32) uint32 {
	const topBit, matrix = 1 << 31, 0x9908b0df
	y := upper&topBit | lower&^topBit
	return y>>1 ^ -(y&1)&matrix
}

func (s *Source) temper() {
	for i, y := range &s.state {
		y ^= y >> 11
		y ^= y << 7 & 0x9d2c5680
		y ^= y << 15 & 0xefc60000
		s.out[i] = y ^ y>>18
	}
}

// marshalMagic starts a marshalled Source; its last byte is the version of the format.
const marshalMagic = "mt19937\x01"

// MarshalBinary returns the position in the stream: magic, index and state, 2,506 bytes, little endian. There is no other state:
// none of the distributions keeps a number for later.
func (s *Source) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, len(marshalMagic)+2+4*stateLen)
	b = append(b, marshalMagic...)
	b = binary.LittleEndian.AppendUint16(b, uint16(s.next))
	for _, x := range &s.state {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b, nil
}

// UnmarshalBinary continues the stream where MarshalBinary left it.
func (s *Source) UnmarshalBinary(b []byte) error {
	if len(b) != len(marshalMagic)+2+4*stateLen || string(b[:len(marshalMagic)]) != marshalMagic {
		return errors.New("not the state of a random stream, or of another version")
	}
	b = b[len(marshalMagic):]
	next := int(binary.LittleEndian.Uint16(b))
	if next > stateLen {
		return errors.New("the state of the random stream is corrupt: its index is out of range")
	}
	for i := range s.state {
		s.state[i] = binary.LittleEndian.Uint32(b[2+4*i:])
	}
	s.temper()
	s.next = next
	return nil
}
