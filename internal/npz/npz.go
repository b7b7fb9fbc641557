// Package npz reads and writes NumPy archives (.npz: a zip of .npy members) of float32 arrays.
//
// Golden files and blobs given on the command line come this way: numpy.load and numpy.savez are their other end. Members are
// addressed as in numpy, without the ".npy" suffix.
package npz

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/sbinet/npyio/npy"
)

// Array is one member: a dense row-major array. A scalar has an empty Shape and one element.
type Array struct {
	Shape []int
	Data  []float32
}

// Count is the number of elements that the shape asks for.
func (a Array) Count() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Read returns the members of the archive at path by name. Integer, boolean and float64 members are converted to float32, which
// holds integers exactly up to 2^24. Errors name the file and the member.
func Read(path string) (map[string]Array, error) {
	zr, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) {
		return nil, fmt.Errorf("%s: not an .npz archive (numpy.savez writes one): %w", path, err)
	}
	var inPath *fs.PathError // it names the file
	if err != nil && !errors.As(err, &inPath) {
		return nil, fmt.Errorf("%s: the archive is damaged: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	defer zr.Close()
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	arrays := make(map[string]Array, len(zr.File))
	for _, f := range zr.File {
		a, err := readMember(f, uint64(info.Size()))
		if err != nil {
			return nil, fmt.Errorf("%s: member %q: %w", path, f.Name, err)
		}
		arrays[strings.TrimSuffix(f.Name, ".npy")] = a
	}
	return arrays, nil
}

// readMember reads a member of an archive of size bytes.
func readMember(f *zip.File, size uint64) (Array, error) {
	if err := checkSize(f, size); err != nil {
		return Array{}, err
	}
	rc, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	defer rc.Close()
	br := bufio.NewReaderSize(rc, 1<<16)
	h, err := readHeader(br)
	if err != nil {
		return Array{}, err
	}
	elem, err := elementOf(h.Descr.Type)
	if err != nil {
		return Array{}, err
	}
	count := 1
	for _, d := range h.Descr.Shape {
		// The size of the member bounds the product, so that a forged shape cannot ask for more memory than the file holds.
		if d < 0 || (d > 0 && uint64(count) > f.UncompressedSize64/uint64(d)) {
			return Array{}, fmt.Errorf("shape %v does not fit %d bytes", h.Descr.Shape, f.UncompressedSize64)
		}
		count *= d
	}
	a := Array{Shape: append([]int{}, h.Descr.Shape...), Data: make([]float32, count)}
	if err := elem.read(br, a.Data); err != nil {
		return Array{}, fmt.Errorf("shape %v, type %s: %w", a.Shape, h.Descr.Type, err)
	}
	if h.Descr.Fortran {
		a.Data = rowMajor(a.Shape, a.Data)
	}
	return a, nil
}

// checkSize refuses sizes that a member of an archive of size bytes cannot have, so that memory is bounded by what the file holds: deflate
// makes at most 1,032 times as many bytes.
func checkSize(f *zip.File, size uint64) error {
	const deflateRatio = 1032
	if f.CompressedSize64 > size || f.UncompressedSize64/deflateRatio > f.CompressedSize64 {
		return fmt.Errorf("%d bytes, %d of them stored, in a file of %d: the archive is damaged", f.UncompressedSize64, f.CompressedSize64, size)
	}
	return nil
}

// maxHeader is the longest header that is read, far above what any shape needs; numpy's own limit is 10,000.
const maxHeader = 1 << 16

// readHeader leaves r at the first byte of the data. npyio slices a malformed header without looking, so its panic is an error here, and it
// takes the memory that a header's length asks for.
func readHeader(r *bufio.Reader) (h npy.Header, err error) {
	const version, length = 6, 8
	if head, err := r.Peek(length + 4); err == nil && string(head[:version]) == "\x93NUMPY" && head[version] >= 2 && binary.LittleEndian.Uint32(head[length:]) > maxHeader {
		return npy.Header{}, errors.New("malformed .npy header: its length is impossible")
	}
	defer func() {
		if recover() != nil {
			err = errors.New("malformed .npy header")
		}
	}()
	nr, err := npy.NewReader(r)
	if err != nil {
		return npy.Header{}, err
	}
	return nr.Header, nil
}

// rowMajor reorders column-major data.
func rowMajor(shape []int, data []float32) []float32 {
	out := make([]float32, len(data))
	index := make([]int, len(shape))
	for i := range out {
		src, stride := 0, 1
		for k, d := range shape {
			src += index[k] * stride
			stride *= d
		}
		out[i] = data[src]
		for k := len(shape) - 1; k >= 0; k-- {
			if index[k]++; index[k] < shape[k] {
				break
			}
			index[k] = 0
		}
	}
	return out
}

// element says how one element of a NumPy type is stored and what float32 it becomes.
type element struct {
	size int
	at   func(b []byte) float32
}

// elementOf reads a NumPy type string: byte order, kind, bytes an element ("<f4", "|u1").
func elementOf(descr string) (element, error) {
	var order binary.ByteOrder = binary.LittleEndian
	kind := descr
	if len(descr) > 0 && strings.ContainsRune("<>=|", rune(descr[0])) {
		kind = descr[1:]
		if descr[0] == '>' {
			order = binary.BigEndian
		}
	}
	switch kind {
	case "f4":
		return element{4, func(b []byte) float32 { return math.Float32frombits(order.Uint32(b)) }}, nil
	case "f8":
		return element{8, func(b []byte) float32 { return float32(math.Float64frombits(order.Uint64(b))) }}, nil
	case "i8":
		return element{8, func(b []byte) float32 { return float32(int64(order.Uint64(b))) }}, nil
	case "u8":
		return element{8, func(b []byte) float32 { return float32(order.Uint64(b)) }}, nil
	case "i4":
		return element{4, func(b []byte) float32 { return float32(int32(order.Uint32(b))) }}, nil
	case "u4":
		return element{4, func(b []byte) float32 { return float32(order.Uint32(b)) }}, nil
	case "i2":
		return element{2, func(b []byte) float32 { return float32(int16(order.Uint16(b))) }}, nil
	case "u2":
		return element{2, func(b []byte) float32 { return float32(order.Uint16(b)) }}, nil
	case "i1":
		return element{1, func(b []byte) float32 { return float32(int8(b[0])) }}, nil
	case "u1", "b1":
		return element{1, func(b []byte) float32 { return float32(b[0]) }}, nil
	}
	return element{}, fmt.Errorf("elements of type %q are not numbers that float32 can hold; convert with .astype('float32')", descr)
}

func (e element) read(r io.Reader, dst []float32) error {
	buf := make([]byte, min(len(dst), 1<<14)*e.size)
	for len(dst) > 0 {
		n := min(len(dst), 1<<14)
		if _, err := io.ReadFull(r, buf[:n*e.size]); err != nil {
			return fmt.Errorf("%d elements are missing: %w", len(dst), err)
		}
		for i := range n {
			dst[i] = e.at(buf[i*e.size:])
		}
		dst = dst[n:]
	}
	return nil
}

// Write writes the arrays as numpy.savez does: uncompressed, "<f4", members in the order of their names, so that equal arrays give
// equal bytes. npyio is not used for this side: it writes slices as one-dimensional arrays only.
func Write(w io.Writer, arrays map[string]Array) error {
	names := make([]string, 0, len(arrays))
	for name, a := range arrays {
		if a.Count() != len(a.Data) {
			return fmt.Errorf("npz member %q: shape %v asks for %d elements, there are %d", name, a.Shape, a.Count(), len(a.Data))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	zw := zip.NewWriter(w)
	for _, name := range names {
		mw, err := zw.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
		if err == nil {
			err = writeArray(mw, arrays[name])
		}
		if err != nil {
			return fmt.Errorf("npz member %q: %w", name, err)
		}
	}
	return zw.Close()
}

// writeArray writes one .npy of format version 1.0.
func writeArray(w io.Writer, a Array) error {
	var dims strings.Builder
	for _, d := range a.Shape {
		fmt.Fprintf(&dims, "%d, ", d)
	}
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", tuple(dims.String(), len(a.Shape)))
	const prefix = 10 // magic, version and the length of the dictionary
	dict += strings.Repeat(" ", 63-(prefix+len(dict))%64) + "\n"
	head := append([]byte("\x93NUMPY\x01\x00"), byte(len(dict)), byte(len(dict)>>8))
	if _, err := w.Write(append(head, dict...)); err != nil {
		return err
	}
	buf := make([]byte, 0, 1<<16)
	for i, v := range a.Data {
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		if len(buf) == cap(buf) || i == len(a.Data)-1 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return nil
}

// tuple writes Python's form: "", "3,", "2, 3".
func tuple(dims string, rank int) string {
	if rank == 1 {
		return strings.TrimSuffix(dims, " ")
	}
	return strings.TrimSuffix(dims, ", ")
}
