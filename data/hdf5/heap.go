package hdf5

import (
	"bytes"
	"encoding/binary"
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

// heapFile is what walking the local heaps of a file needs.
type heapFile struct {
	io.ReaderAt
	size           int64
	base           int64 // where addresses count from: the superblock
	offset, length int   // bytes of an address and of a length, 2, 4 or 8
}

// checkHeaps finds local heaps whose list of free blocks has no end. libhdf5 follows such a list until memory ends (seen in 1.10.8), so
// it must not get the file. Whatever else is damaged is left to the library, which answers with an error.
func checkHeaps(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f := heapFile{ReaderAt: file, size: info.Size()}
	if !f.superblock() {
		return nil
	}
	// Chunks overlap by a signature's length less one byte, so that none is missed or found twice.
	chunk := make([]byte, 1<<20)
	for at := int64(0); at < f.size; at += int64(len(chunk) - len(heapSignature) + 1) {
		n, err := file.ReadAt(chunk, at)
		if err != nil && err != io.EOF {
			return err
		}
		if err := f.heapsIn(chunk[:n], at); err != nil {
			return err
		}
	}
	return nil
}

// superblock finds the superblock, which lies at 0, 512, 1024, … and says how wide addresses are. It answers false where the file is none
// that the library would read.
func (f *heapFile) superblock() bool {
	for at := int64(0); at < f.size; at = max(512, 2*at) {
		b := f.read(at, 16)
		if b == nil {
			return false
		}
		if !bytes.HasPrefix(b, signature) {
			continue
		}
		f.base, f.offset, f.length = at, int(b[13]), int(b[14])
		if version := b[8]; version >= 2 {
			f.offset, f.length = int(b[9]), int(b[10])
		}
		return isWidth(f.offset) && isWidth(f.length)
	}
	return false
}

func isWidth(n int) bool { return n == 2 || n == 4 || n == 8 }

func (f *heapFile) heapsIn(chunk []byte, at int64) error {
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

// freeList follows the free blocks of the heap at address at. A block begins with the offset of the next one, 1 for none, and its own
// size; so a list of more blocks than fit into the heap returns to one of them.
func (f *heapFile) freeList(at int64) error {
	const prefix, none = 8, 1
	head := f.read(at+prefix, 2*f.length+f.offset)
	if head == nil {
		return nil
	}
	size, next, data := number(head[:f.length]), number(head[f.length:2*f.length]), number(head[2*f.length:])
	block := 2 * f.length
	for range size/int64(block) + 1 {
		if next == none || next < 0 || next >= size || data < 0 {
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
func (f *heapFile) read(at int64, n int) []byte {
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
