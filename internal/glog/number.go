package glog

import (
	"math"
	"strconv"
)

// G formats a number as a C++ stream does by default: six significant digits, no trailing zeros, exponents of two digits
// (5.41239e-05, 100000, 1e+06). A NaN is "nan" whatever its sign: scripts that read numbers fail on "-nan".
func G[T float32 | float64](x T) string {
	v := float64(x)
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
