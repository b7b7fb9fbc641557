package rng

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"testing"
)

// Printed by a program on Boost 1.74 (g++ 12 -O2, amd64): the distributions as Caffe instantiates them, 1,000,000 draws each and
// 5,000,000 of the Gaussian, so that every branch of the ziggurat has been taken thousands of times.
var boostDraws = []struct {
	seed  uint32
	kind  string
	a, b  float64
	first [3]float32
	hash  uint64 // FNV-1a of all draws' bytes, little endian
	next  uint32 // the number that follows them in the stream
}{
	{1701, "gaussian", 0, 1, [3]float32{-0.109265924, -1.67194021, -0.204776242}, 0x70d4fada06fdb0ae, 3843106949},
	{1701, "gaussian", 0.1, 0.5, [3]float32{0.0453670397, -0.73597008, -0.0023881197}, 0x74e6b3f8760a0cf8, 3843106949},
	{1701, "gaussian", -3, 0.001, [3]float32{-3.0001092, -3.00167203, -3.0002048}, 0xaa0ac761c75d8e76, 3843106949},
	{1701, "uniform", 0, 1, [3]float32{0.0894332379, 0.518739164, 0.115377702}, 0x2944fb45d608d6f0, 4213782963},
	{1701, "uniform", -0.3, 0.7, [3]float32{-0.210566789, 0.218739092, -0.184622318}, 0x8c4d7a9ddcbf2f54, 4213782963},
	{1701, "uniform", 2, 2, [3]float32{2, 2, 2}, 0xcf0c43a8686c5725, 4292005748},
	{1701, "uniform", 0, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 4292005748},
	{1701, "uniform", -3.4e+38, 3.4e+38, [3]float32{-2.79185401e+38, 1.27425861e+37, -2.61543173e+38}, 0x58e9add38180d3e8, 4213782963},
	{1701, "uniform", 16777216, 16777220, [3]float32{16777216, 16777220, 16777216}, 0xbe3497894a95bfab, 1421493119},
	{1701, "bernoulli64", 0.5, 0, [3]float32{1, 0, 1}, 0x644a2ec1053c2628, 4213782963},
	{1701, "bernoulli64", 0.69999999999999996, 0, [3]float32{1, 1, 1}, 0xaa11169bca19fb48, 4213782963},
	{1701, "bernoulli64", 0.69999998807907104, 0, [3]float32{1, 1, 1}, 0xaa11169bca19fb48, 4213782963},
	{1701, "bernoulli64", 9.9999999999999995e-07, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 4213782963},
	{1701, "bernoulli64", 1, 0, [3]float32{1, 1, 1}, 0x5f557410fca3bd25, 4213782963},
	{1701, "bernoulli64", 0, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 384112814},
	{1701, "bernoulli32", 0.5, 0, [3]float32{1, 0, 1}, 0x644a2ec1053c2628, 4213782963},
	{1701, "bernoulli32", 0.333333343, 0, [3]float32{1, 0, 1}, 0x78d7324010f0ff15, 4213782963},
	{1701, "bernoulli32", 0.699999988, 0, [3]float32{1, 1, 1}, 0xaa11169bca19fb48, 4213782963},
	{1701, "bernoulli32", 9.99999997e-07, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 4213782963},
	{1701, "bernoulli32", 1, 0, [3]float32{1, 1, 1}, 0x5f557410fca3bd25, 4213782963},
	{1701, "bernoulli32", 0.99999994, 0, [3]float32{1, 1, 1}, 0x5f557410fca3bd25, 4213782963},
	{1701, "bernoulli32", 0, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 384112814},
	{1701, "shuffle", 0, 0, [3]float32{0, 1, 2}, 0xe15abad3be4cb208, 384112814},
	{1701, "shuffle", 1, 0, [3]float32{0, 1, 2}, 0xe15abad3be4cb208, 384112814},
	{1701, "shuffle", 2, 0, [3]float32{1, 0, 2}, 0xf151c2ea2c8c7f58, 2227967492},
	{1701, "shuffle", 10, 0, [3]float32{7, 6, 8}, 0x8e944b7a9bdb1f88, 2040114656},
	{1701, "shuffle", 65536, 0, [3]float32{21546, 23484, 60184}, 0x30512a2895f8fd28, 2078432},
	{1701, "shuffle", 100003, 0, [3]float32{32462, 4648, 39258}, 0x5b20de6d77f9dea9, 2106423035},
	{4294967295, "gaussian", 0, 1, [3]float32{0.127325967, -0.264046997, -2.57577109}, 0x41d7bb7e546d8ab0, 1779590462},
	{4294967295, "gaussian", 0.1, 0.5, [3]float32{0.163662985, -0.0320234969, -1.18788552}, 0x1e600c6d0f1b23cc, 1779590462},
	{4294967295, "gaussian", -3, 0.001, [3]float32{-2.99987268, -3.00026393, -3.00257587}, 0x8922db7297624df6, 1779590462},
	{4294967295, "uniform", 0, 1, [3]float32{0.0976320431, 0.11160668, 0.91238296}, 0x699b186c9fe36787, 3381183063},
	{4294967295, "uniform", -0.3, 0.7, [3]float32{-0.202367991, -0.188393354, 0.612382829}, 0xac401ef3fdae554c, 3381183063},
	{4294967295, "uniform", 2, 2, [3]float32{2, 2, 2}, 0xcf0c43a8686c5725, 538707715},
	{4294967295, "uniform", 0, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 538707715},
	{4294967295, "uniform", -3.4e+38, 3.4e+38, [3]float32{-2.73610213e+38, -2.64107458e+38, 2.80420336e+38}, 0x3ee4ccdeac1efee0, 3381183063},
	{4294967295, "uniform", 16777216, 16777220, [3]float32{16777216, 16777216, 16777220}, 0x21318c8339a56e9f, 2943337144},
	{4294967295, "bernoulli64", 0.5, 0, [3]float32{1, 1, 0}, 0x4d6482c57bbced15, 3381183063},
	{4294967295, "bernoulli64", 0.69999999999999996, 0, [3]float32{1, 1, 0}, 0x14b35b7aa7fe02b8, 3381183063},
	{4294967295, "bernoulli64", 0.69999998807907104, 0, [3]float32{1, 1, 0}, 0x14b35b7aa7fe02b8, 3381183063},
	{4294967295, "bernoulli64", 9.9999999999999995e-07, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 3381183063},
	{4294967295, "bernoulli64", 1, 0, [3]float32{1, 1, 1}, 0x5f557410fca3bd25, 3381183063},
	{4294967295, "bernoulli64", 0, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 419326371},
	{4294967295, "bernoulli32", 0.5, 0, [3]float32{1, 1, 0}, 0x4d6482c57bbced15, 3381183063},
	{4294967295, "bernoulli32", 0.333333343, 0, [3]float32{1, 1, 0}, 0x6b94ffc2d9096f68, 3381183063},
	{4294967295, "bernoulli32", 0.699999988, 0, [3]float32{1, 1, 0}, 0x14b35b7aa7fe02b8, 3381183063},
	{4294967295, "bernoulli32", 9.99999997e-07, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 3381183063},
	{4294967295, "bernoulli32", 1, 0, [3]float32{1, 1, 1}, 0x5f557410fca3bd25, 3381183063},
	{4294967295, "bernoulli32", 0.99999994, 0, [3]float32{1, 1, 1}, 0x5f557410fca3bd25, 3381183063},
	{4294967295, "bernoulli32", 0, 0, [3]float32{0, 0, 0}, 0x1a732cf0313c5725, 419326371},
	{4294967295, "shuffle", 0, 0, [3]float32{0, 1, 2}, 0xe15abad3be4cb208, 419326371},
	{4294967295, "shuffle", 1, 0, [3]float32{0, 1, 2}, 0xe15abad3be4cb208, 419326371},
	{4294967295, "shuffle", 2, 0, [3]float32{1, 0, 2}, 0xf151c2ea2c8c7f58, 479346978},
	{4294967295, "shuffle", 10, 0, [3]float32{8, 9, 5}, 0x1316ad8986cdd418, 1217888032},
	{4294967295, "shuffle", 65536, 0, [3]float32{40526, 29430, 62534}, 0x4351bd3eeb7759d4, 580193393},
	{4294967295, "shuffle", 100003, 0, [3]float32{46079, 47826, 58601}, 0x0bfb5406d29b9e71, 3359563331},
}

func TestDrawsEqualBoost(t *testing.T) {
	for _, c := range boostDraws {
		s := New(c.seed)
		dst := make([]float32, 1_000_000)
		switch c.kind {
		case "gaussian":
			dst = make([]float32, 5_000_000)
			s.Gaussian(dst, float32(c.a), float32(c.b))
		case "uniform":
			s.Uniform(dst, float32(c.a), float32(c.b))
		case "bernoulli64":
			s.Bernoulli(dst, c.a)
		case "bernoulli32":
			s.Bernoulli32(dst, float32(c.a))
		case "shuffle":
			dst = shuffled(s, int(c.a))
		}
		if got := [3]float32(dst[:3]); got != c.first {
			t.Errorf("seed %d, %s(%g, %g): first draws %v, want %v", c.seed, c.kind, c.a, c.b, got, c.first)
		}
		if got := hash(dst); got != c.hash {
			t.Errorf("seed %d, %s(%g, %g): hash of the draws %#x, want %#x", c.seed, c.kind, c.a, c.b, got, c.hash)
		}
		if got := s.Uint32(); got != c.next {
			t.Errorf("seed %d, %s(%g, %g): the stream goes on with %d, want %d", c.seed, c.kind, c.a, c.b, got, c.next)
		}
	}
}

// shuffled returns 0, 1, 2 … with the first n in random order; at least three, for the comparison of the first draws.
func shuffled(s *Source, n int) []float32 {
	v := make([]float32, max(n, 3))
	for i := range v {
		v[i] = float32(i)
	}
	s.Shuffle(n, func(i, j int) { v[i], v[j] = v[j], v[i] })
	return v
}

func hash(v []float32) uint64 {
	h := fnv.New64a()
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	h.Write(b)
	return h.Sum64()
}
