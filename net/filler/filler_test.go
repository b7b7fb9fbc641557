package filler

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// Written by BVLC Caffe's fillers (CPU, Boost 1.74) with random seed 1701 before each.
var caffeFills = []struct {
	filler string
	shape  []int
	last   float32
	hash   uint64 // FNV-1a of all values' bytes, little endian
	next   uint32 // the number that follows in the stream
}{
	{`type:"constant" value:0.1`, []int{6, 3, 3, 3}, 0.100000001, 0x680eff6608ff0f59, 384112814},
	{`type:"constant" value:0.1`, []int{7, 5}, 0.100000001, 0x467ea5167ecf84eb, 384112814},
	{`type:"constant" value:0.1`, []int{11}, 0.100000001, 0x1b2d3ba7b6f1367b, 384112814},
	{`type:"constant" value:0.1`, []int{3, 2, 5, 5}, 0.100000001, 0x318376c874f922c1, 384112814},
	{`type:"constant" value:0.1`, []int{2, 1, 7, 7}, 0.100000001, 0xc096cc7b6da2bdd9, 384112814},
	{`type:"constant" value:0.1`, []int{96, 3, 11, 11}, 0.100000001, 0x12beaa3e0c0546e5, 384112814},
	{`type:"constant" value:0.1`, []int{2, 1, 1, 1}, 0.100000001, 0x3d4fdee8e8cf4299, 384112814},
	{`type:"constant" value:0.1`, []int{2, 1, 14, 14}, 0.100000001, 0xca896b97a76522d5, 384112814},
	{`type:"uniform" min:-0.1 max:0.2`, []int{6, 3, 3, 3}, -0.0130787715, 0x86b7b7bedb396329, 3269683651},
	{`type:"uniform" min:-0.1 max:0.2`, []int{7, 5}, -0.0580789447, 0xa8ca7a3894a7ff26, 2965563937},
	{`type:"uniform" min:-0.1 max:0.2`, []int{11}, 0.148962677, 0x51cd6ae7027f50d3, 4079710734},
	{`type:"uniform" min:-0.1 max:0.2`, []int{3, 2, 5, 5}, 0.177459657, 0xed203397899bf2df, 2513491688},
	{`type:"uniform" min:-0.1 max:0.2`, []int{2, 1, 7, 7}, 0.0769994035, 0x7cc6308693c8e354, 816692897},
	{`type:"uniform" min:-0.1 max:0.2`, []int{96, 3, 11, 11}, -0.00736576319, 0xe8b71a3f80ae9f6d, 3955193509},
	{`type:"uniform" min:-0.1 max:0.2`, []int{2, 1, 1, 1}, 0.0556217358, 0xdb3276aa58a123a1, 495543390},
	{`type:"uniform" min:-0.1 max:0.2`, []int{2, 1, 14, 14}, 0.0322078988, 0x8bfc9edcdfd0a598, 798091674},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{6, 3, 3, 3}, 0.282995194, 0xe7ceada13045c109, 3860729004},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{7, 5}, 0.316539854, 0xf95e746cc9ead584, 2607114263},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{11}, 0.277542651, 0x574bc12842bb1cd3, 4079710734},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{3, 2, 5, 5}, 0.308200181, 0x26df4506033773c8, 498731357},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{2, 1, 7, 7}, 0.301961333, 0x3ed2eb7b2fa6469b, 286179759},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{96, 3, 11, 11}, 0.327561468, 0x049798c30fb00d8b, 3294467852},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{2, 1, 1, 1}, 0.283280611, 0xc5c234d0dc821597, 495543390},
	{`type:"gaussian" mean:0.3 std:0.01`, []int{2, 1, 14, 14}, 0.2869066, 0xe460765e9b4d1c85, 2775820312},
	{`type:"gaussian" std:0.5 sparse:2`, []int{6, 3, 3, 3}, -0, 0x620b75ef2151cdcb, 567840735},
	{`type:"gaussian" std:0.5 sparse:2`, []int{7, 5}, 0, 0x20e578e62d978129, 3330159945},
	{`type:"gaussian" std:0.5 sparse:2`, []int{11}, -0, 0x52a793f88a236b4a, 732221218},
	{`type:"gaussian" std:0.5 sparse:2`, []int{3, 2, 5, 5}, 0, 0xf3c7ce6cb6968146, 2571664725},
	{`type:"gaussian" std:0.5 sparse:2`, []int{2, 1, 7, 7}, 0.0980654657, 0xb5bc224c20a88043, 810898368},
	{`type:"gaussian" std:0.5 sparse:2`, []int{96, 3, 11, 11}, 0, 0x26f25ef601ed4e24, 59320155},
	{`type:"gaussian" std:0.5 sparse:2`, []int{2, 1, 1, 1}, -0.835970104, 0xc2a90c407ce9efad, 2227988250},
	{`type:"gaussian" std:0.5 sparse:2`, []int{2, 1, 14, 14}, -0.654671371, 0x04281d30172c632f, 963546218},
	{`type:"gaussian" sparse:0`, []int{6, 3, 3, 3}, -0, 0x9ec8723099e1ae45, 3860729004},
	{`type:"gaussian" sparse:0`, []int{7, 5}, 0, 0x50828b2748be6015, 2607114263},
	{`type:"gaussian" sparse:0`, []int{11}, -0, 0x490b90a7b857f715, 4079710734},
	{`type:"gaussian" sparse:0`, []int{3, 2, 5, 5}, 0, 0xad9c501621287285, 498731357},
	{`type:"gaussian" sparse:0`, []int{2, 1, 7, 7}, 0, 0x4091e5dff4101f45, 286179759},
	{`type:"gaussian" sparse:0`, []int{96, 3, 11, 11}, 0, 0xbe9ed3e3b0f61d25, 3294467852},
	{`type:"gaussian" sparse:0`, []int{2, 1, 1, 1}, -0, 0x5156e2f38065e1c5, 495543390},
	{`type:"gaussian" sparse:0`, []int{2, 1, 14, 14}, -0, 0x1e63bd4270eb8ba5, 2775820312},
	{`type:"positive_unitball"`, []int{6, 3, 3, 3}, 0.0195785575, 0x1ed5fca4947d1713, 3269683651},
	{`type:"positive_unitball"`, []int{7, 5}, 0.0663453713, 0xc5881c37e8bb7a11, 2965563937},
	{`type:"positive_unitball"`, []int{11}, 1, 0x92f586e676c8cc88, 4079710734},
	{`type:"positive_unitball"`, []int{3, 2, 5, 5}, 0.0353953615, 0x3715e98db02adf21, 2513491688},
	{`type:"positive_unitball"`, []int{2, 1, 7, 7}, 0.02267728, 0xcc7bdc746e43a9df, 816692897},
	{`type:"positive_unitball"`, []int{96, 3, 11, 11}, 0.00176074961, 0x4284bdf8a6abc8c3, 3955193509},
	{`type:"positive_unitball"`, []int{2, 1, 1, 1}, 1, 0x0b2d58ee2f147975, 495543390},
	{`type:"positive_unitball"`, []int{2, 1, 14, 14}, 0.00454917038, 0xffe5fbbe880317b3, 798091674},
	{`type:"xavier"`, []int{6, 3, 3, 3}, -0.14017503, 0xe295514cb385be47, 3269683651},
	{`type:"xavier"`, []int{7, 5}, -0.55811727, 0x7dc155f2519b622d, 2965563937},
	{`type:"xavier"`, []int{11}, 1.14272273, 0x63a5ed4a7ccb141c, 4079710734},
	{`type:"xavier"`, []int{3, 2, 5, 5}, 0.208140746, 0xc186261e118759ff, 2513491688},
	{`type:"xavier"`, []int{2, 1, 7, 7}, 0.0445374548, 0x569eb33d44f7ec41, 816692897},
	{`type:"xavier"`, []int{96, 3, 11, 11}, -0.0347671211, 0x2daf17a116579b0d, 3955193509},
	{`type:"xavier"`, []int{2, 1, 1, 1}, 0.0649142265, 0x8861296659f4811e, 495543390},
	{`type:"xavier"`, []int{2, 1, 14, 14}, -0.0146746784, 0x35d681b21ff14b97, 798091674},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{6, 3, 3, 3}, -0.0991187096, 0x71f94292869b1b8f, 3269683651},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{7, 5}, -0.471695185, 0xb03ebaafa77ec671, 2965563937},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{11}, 0.344543874, 0x8bbef9b42a0ec426, 4079710734},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{3, 2, 5, 5}, 0.169946238, 0x1a8888853c317ef5, 2513491688},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{2, 1, 7, 7}, 0.0314927548, 0x46b0c9170bc2863c, 816692897},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{96, 3, 11, 11}, -0.00614601839, 0xe097002c496786b0, 3955193509},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{2, 1, 1, 1}, 0.0459014177, 0x418a535285676c58, 495543390},
	{`type:"xavier" variance_norm:FAN_OUT`, []int{2, 1, 14, 14}, -0.0103765577, 0x1c013aaaf5d97db6, 798091674},
	{`type:"xavier" variance_norm:AVERAGE`, []int{6, 3, 3, 3}, -0.114452451, 0x0f40267ae675f346, 3269683651},
	{`type:"xavier" variance_norm:AVERAGE`, []int{7, 5}, -0.509489, 0xb331a3af28d06a47, 2965563937},
	{`type:"xavier" variance_norm:AVERAGE`, []int{11}, 0.466514647, 0x170c49e2ed0b2735, 4079710734},
	{`type:"xavier" variance_norm:AVERAGE`, []int{3, 2, 5, 5}, 0.186166734, 0xe8577f9248cb12af, 2513491688},
	{`type:"xavier" variance_norm:AVERAGE`, []int{2, 1, 7, 7}, 0.0363646895, 0xc7182caca433d4ac, 816692897},
	{`type:"xavier" variance_norm:AVERAGE`, []int{96, 3, 11, 11}, -0.00855907518, 0xd54cf0d6452252c0, 3955193509},
	{`type:"xavier" variance_norm:AVERAGE`, []int{2, 1, 1, 1}, 0.0530023575, 0xae29393c0066e9c5, 495543390},
	{`type:"xavier" variance_norm:AVERAGE`, []int{2, 1, 14, 14}, -0.0119818226, 0x0ae1db606971d2e6, 798091674},
	{`type:"msra"`, []int{6, 3, 3, 3}, -0.462812871, 0x9d183a7223ef9768, 3860729004},
	{`type:"msra"`, []int{7, 5}, 1.04607224, 0xb60ef36a1472d5c1, 2607114263},
	{`type:"msra"`, []int{11}, -3.17595243, 0x4b40b794b1e3a240, 4079710734},
	{`type:"msra"`, []int{3, 2, 5, 5}, 0.164003178, 0x92eeb7cb64259028, 498731357},
	{`type:"msra"`, []int{2, 1, 7, 7}, 0.0396244302, 0x210578b0046e0958, 286179759},
	{`type:"msra"`, []int{96, 3, 11, 11}, 0.204580337, 0xdda89cc434f9da33, 3294467852},
	{`type:"msra"`, []int{2, 1, 1, 1}, -2.3644805, 0x8247f45dfad289e5, 495543390},
	{`type:"msra"`, []int{2, 1, 14, 14}, -0.132263586, 0x1260850b22e46037, 2775820312},
	{`type:"msra" variance_norm:FAN_OUT`, []int{6, 3, 3, 3}, -0.32725811, 0x5248d8cb2e3617cd, 3860729004},
	{`type:"msra" variance_norm:FAN_OUT`, []int{7, 5}, 0.88409245, 0x3ff42c5402054fc5, 2607114263},
	{`type:"msra" variance_norm:FAN_OUT`, []int{11}, -0.957585692, 0x404a39f45c8f6988, 4079710734},
	{`type:"msra" variance_norm:FAN_OUT`, []int{3, 2, 5, 5}, 0.133908048, 0x631affda723b3a87, 498731357},
	{`type:"msra" variance_norm:FAN_OUT`, []int{2, 1, 7, 7}, 0.0280187037, 0x97d74638d4220a0a, 286179759},
	{`type:"msra" variance_norm:FAN_OUT`, []int{96, 3, 11, 11}, 0.0361650363, 0x870c3586bcb42953, 3294467852},
	{`type:"msra" variance_norm:FAN_OUT`, []int{2, 1, 1, 1}, -1.67194021, 0xca46c84c360e04ad, 495543390},
	{`type:"msra" variance_norm:FAN_OUT`, []int{2, 1, 14, 14}, -0.0935244784, 0x8a8f6545dac3ce2a, 2775820312},
	{`type:"msra" variance_norm:AVERAGE`, []int{6, 3, 3, 3}, -0.377885103, 0x27ef1e9c8c39246e, 3860729004},
	{`type:"msra" variance_norm:AVERAGE`, []int{7, 5}, 0.954928935, 0xd7dd44521a7b9b2e, 2607114263},
	{`type:"msra" variance_norm:AVERAGE`, []int{11}, -1.29657722, 0xb256fb6c01f08409, 4079710734},
	{`type:"msra" variance_norm:AVERAGE`, []int{3, 2, 5, 5}, 0.146688908, 0x5a4c6b75f953e59c, 498731357},
	{`type:"msra" variance_norm:AVERAGE`, []int{2, 1, 7, 7}, 0.0323532149, 0x59d4def8090c2e4e, 286179759},
	{`type:"msra" variance_norm:AVERAGE`, []int{96, 3, 11, 11}, 0.0503642, 0x74dd01ca4f381eb9, 3294467852},
	{`type:"msra" variance_norm:AVERAGE`, []int{2, 1, 1, 1}, -1.93059027, 0x06a2573a430154e6, 495543390},
	{`type:"msra" variance_norm:AVERAGE`, []int{2, 1, 14, 14}, -0.107992776, 0x3f7e8d0137393e46, 2775820312},
	{`type:"bilinear"`, []int{6, 3, 3, 3}, 0.25, 0x7384cae7ca0bdd75, 384112814},
	{`type:"bilinear"`, []int{3, 2, 5, 5}, 0.111111097, 0xafbd5ad7caddb04d, 384112814},
	{`type:"bilinear"`, []int{2, 1, 7, 7}, 0.0625, 0x9dc8ff10fd6a9075, 384112814},
	{`type:"bilinear"`, []int{96, 3, 11, 11}, 0.0277777836, 0x8359417862e72e25, 384112814},
	{`type:"bilinear"`, []int{2, 1, 1, 1}, 1, 0x0b2d58ee2f147975, 384112814},
	{`type:"bilinear"`, []int{2, 1, 14, 14}, 0.00510204444, 0x955bd2bc0988d3d5, 384112814},
}

func TestFillEqualsCaffe(t *testing.T) {
	for _, c := range caffeFills {
		r := rng.New(1701)
		dst := make([]float32, count(c.shape))
		if err := Fill(parse(t, c.filler), c.shape, dst, r); err != nil {
			t.Errorf("%s %v: %v", c.filler, c.shape, err)
			continue
		}
		if last, h := dst[len(dst)-1], hash(dst); last != c.last || h != c.hash {
			t.Errorf("%s %v: last value %.9g, hash %#x, want %.9g, %#x", c.filler, c.shape, last, h, c.last, c.hash)
		}
		if next := r.Uint32(); next != c.next {
			t.Errorf("%s %v: the stream goes on with %d, want %d", c.filler, c.shape, next, c.next)
		}
	}
}

func TestNilIsZero(t *testing.T) {
	dst := []float32{1, 2}
	if err := Fill(nil, []int{2}, dst, rng.New(1)); err != nil || dst[0] != 0 || dst[1] != 0 {
		t.Errorf("no filler: values %v, error %v, want zeros", dst, err)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		filler string
		shape  []int
		want   string
	}{
		{`type: "glorot"`, []int{2}, "Unknown filler name: glorot (known: bilinear, constant"},
		{`type: "xavier" sparse: 3`, []int{2, 2}, "Sparsity not supported by this Filler."},
		{`sparse: 0`, []int{2, 2}, "Sparsity not supported by this Filler."},
		{`type: "gaussian" std: 0`, []int{2}, "std: 0 must be positive"},
		{`type: "gaussian" std: nan`, []int{2}, "must be positive"},
		{`type: "gaussian" mean: inf`, []int{2}, "finite"},
		{`type: "gaussian" sparse: -2`, []int{2}, "sparse: -2"},
		{`type: "gaussian" sparse: 3`, []int{2, 9}, "first dimension"},
		{`type: "uniform" min: 2`, []int{2}, "min: 2 must not exceed max: 1"},
		{`type: "uniform" max: nan`, []int{2}, "max: NaN"},
		{`type: "uniform" min: -inf max: inf`, []int{2}, "min: -Inf"},
		{`type: "bilinear"`, []int{3, 3}, "Blob must be 4 dim."},
		{`type: "bilinear"`, []int{1, 1, 3, 4}, "Filter must be square"},
		{`type: "msra"`, []int{}, "scalar"},
		{`type: "xavier"`, []int{}, "scalar"},
		{`type: "positive_unitball"`, []int{}, "scalar"},
		{``, []int{0, 3}, "nothing to fill"},
	} {
		err := Fill(parse(t, c.filler), c.shape, make([]float32, count(c.shape)), rng.New(1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want one that says %q", c.filler, c.shape, err, c.want)
		}
	}
	if err := Fill(nil, []int{2}, make([]float32, 3), rng.New(1)); err == nil {
		t.Error("shape [2] and 3 elements: no error")
	}
}

func parse(t *testing.T, text string) *caffepb.FillerParameter {
	t.Helper()
	p := new(caffepb.FillerParameter)
	parseInto(t, text, p)
	return p
}

func parseInto(t *testing.T, text string, m proto.Message) {
	t.Helper()
	if err := prototext.Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func hash(v []float32) uint64 {
	h := fnv.New64a()
	for _, x := range v {
		h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
	}
	return h.Sum64()
}
