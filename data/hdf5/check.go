package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// signature opens the superblock; heapSignature opens each local heap, which holds the names of a group's members (HDF5 File Format
// Specification, II and III.D).
var (
	signature     = []byte("\x89HDF\r\n\x1a\n")
	heapSignature = []byte("HEAP")
)

// fileCheck is what looking for damage needs to know of a file.
type fileCheck struct {
	io.ReaderAt
	size           int64
	base           int64 // where addresses count from: the superblock
	offset, length int   // bytes of an address and of a length, 2, 4 or 8
}

// check finds the damage that libhdf5 (seen in 1.10.8) would answer with gigabytes of memory: it must not get such a file. Whatever else
// is damaged is left to the library, which answers with an error.
func check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f := fileCheck{ReaderAt: file, size: info.Size()}
	if known, err := f.superblock(); !known || err != nil {
		return err
	}
	return f.heaps()
}

// superblock finds the superblock, which lies at 0, 512, 1024, … and says how wide addresses are. It answers false where the file has
// none that the library would read.
func (f *fileCheck) superblock() (known bool, err error) {
	for at := int64(0); at < f.size; at = max(512, 2*at) {
		b := f.read(at, 16)
		if b == nil {
			return false, nil
		}
		if !bytes.HasPrefix(b, signature) {
			continue
		}
		version := b[8]
		f.base, f.offset, f.length = at, int(b[13]), int(b[14])
		if version >= 2 {
			f.offset, f.length = int(b[9]), int(b[10])
		}
		if !isWidth(f.offset) || !isWidth(f.length) {
			return false, nil
		}
		return true, f.driverBlock(version)
	}
	return false, nil
}

func isWidth(n int) bool { return n == 2 || n == 4 || n == 8 }

// driverBlock refuses a superblock that names a driver information block. Only files in several parts have one, which are not opened
// by the name of one file; libhdf5 takes as much memory as the block says it has, up to 4 GiB.
func (f *fileCheck) driverBlock(version byte) error {
	at := f.base + 24
	switch version {
	case 0:
	case 1:
		at += 4
	default:
		return nil
	}
	address := f.read(at+3*int64(f.offset), f.offset)
	if address == nil || bytes.Count(address, []byte{0xff}) == len(address) {
		return nil
	}
	return errors.New("its superblock is damaged, or it is one part of a file in several parts, which are not read")
}

// heaps looks at all local heaps, wherever they are.
func (f *fileCheck) heaps() error {
	// Chunks overlap by a signature's length less one byte, so that none is missed or found twice.
	chunk := make([]byte, 1<<20)
	for at := int64(0); at < f.size; at += int64(len(chunk) - len(heapSignature) + 1) {
		n, err := f.ReadAt(chunk, at)
		if err != nil && err != io.EOF {
			return err
		}
		if err := f.heapsIn(chunk[:n], at); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileCheck) heapsIn(chunk []byte, at int64) error {
	for i := 0; ; i++ {
		next := bytes.Index(chunk[i:], heapSignature)
		if next < 0 {
			return nil
		}
		i += next
		if err := f.freeList(at + int64(i)); err != nil {
			return err
		}
	}
}

// freeList follows the free blocks of the heap at address at, and refuses a list that has no end, which libhdf5 would follow until memory
// ends. A block begins with the offset of the next one, 1 for none, and its own
// size; so a list of more blocks than fit into the heap returns to one of them.
func (f *fileCheck) freeList(at int64) error {
	const prefix, none = 8, 1
	head := f.read(at+prefix, 2*f.length+f.offset)
	if head == nil {
		return nil
	}
	size, next, data := number(head[:f.length]), number(head[f.length:2*f.length]), number(head[2*f.length:])
	if size > f.size || data < 0 || data > f.size {
		return nil
	}
	for range size/int64(2*f.length) + 1 {
		if next == none || next < 0 || next >= size {
			return nil
		}
		b := f.read(f.base+data+next, f.length)
		if b == nil {
			return nil
		}
		next = number(b)
	}
	return fmt.Errorf("the local heap at byte %d is damaged: its list of free blocks has no end", at)
}

// read gives nil where the file has no n bytes at that place.
func (f *fileCheck) read(at int64, n int) []byte {
	b := make([]byte, n)
	if at < 0 || at > f.size-int64(n) {
		return nil
	}
	if _, err := f.ReadAt(b, at); err != nil {
		return nil
	}
	return b
}

// number reads a little-endian number of 2, 4 or 8 bytes; one that no file is long enough for is negative.
func number(b []byte) int64 {
	var whole [8]byte
	copy(whole[:], b)
	return int64(binary.LittleEndian.Uint64(whole[:]))
}
