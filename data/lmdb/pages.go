package lmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// A data.mdb is pages of one size: two meta pages, of which the one of the later transaction counts, and B+ trees of branch and leaf pages.
// A leaf's value that is too large for its page has overflow pages of its own. Numbers are little endian, page numbers have 64 bits.
//
// The pages are read here, not by the C library, because that takes every offset in them on trust: a flipped bit ends the process.
const (
	pageHeader = 16 // number 8, unused 2, flags 2, then the bounds of the free space, 2 each, or the count of overflow pages, 4
	nodeHeader = 8  // of a leaf: size of the value 4, flags 2, size of the key 2; of a branch: page 6, size of the key 2

	pageBranch   = 0x01
	pageLeaf     = 0x02
	pageOverflow = 0x04
	pageMeta     = 0x08

	nodeOverflow = 0x01

	metaMagic   = 0xBEEFC0DE
	metaVersion = 1
	metaSize    = 136
	maxKey      = 511
	maxDepth    = 32
	maxPageSize = 1 << 16
)

// pages is the file, mapped for reading, and the tree of its records.
type pages struct {
	bytes    []byte
	pageSize int
	entries  int64
	depth    int
	root     uint64
}

// errNoLMDB is the error of a file that does not begin as a data.mdb does.
var errNoLMDB = errors.New("data.mdb is damaged, cut short or no LMDB: make the database again")

// mapPages maps the data.mdb in folder dir. Its length is checked first: to read mapped memory beyond the file's end kills the process.
func mapPages(dir string) (*pages, error) {
	f, err := os.Open(filepath.Join(dir, "data.mdb"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p := new(pages)
	last, err := p.readMeta(f)
	if err != nil {
		return nil, err
	}
	size := uint64(info.Size())
	if have := size / uint64(p.pageSize); last >= have {
		if last >= 1<<48 {
			return nil, errNoLMDB
		}
		return nil, fmt.Errorf("data.mdb is cut short: it has %d bytes of %d: copy or make the database again", size, (last+1)*uint64(p.pageSize))
	}
	if p.bytes, err = syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("cannot map data.mdb: %w", err)
	}
	return p, nil
}

func (p *pages) close() error {
	b := p.bytes
	p.bytes = nil
	if b == nil {
		return nil
	}
	return syscall.Munmap(b)
}

// readMeta takes the tree from the later one of the two meta pages, and returns the number of the last page.
func (p *pages) readMeta(f io.ReaderAt) (last uint64, err error) {
	var metas [2][]byte
	for i := range metas {
		b := make([]byte, pageHeader+metaSize)
		if _, err := f.ReadAt(b, int64(i*p.pageSize)); err != nil {
			return 0, errNoLMDB
		}
		metas[i] = b[pageHeader:]
		if binary.LittleEndian.Uint16(b[10:])&pageMeta == 0 || binary.LittleEndian.Uint32(metas[i]) != metaMagic {
			return 0, errNoLMDB
		}
		if v := binary.LittleEndian.Uint32(metas[i][4:]); v != metaVersion {
			return 0, fmt.Errorf("data.mdb is in version %d of LMDB's format, this program knows %d", v, metaVersion)
		}
		size := int(binary.LittleEndian.Uint32(metas[i][24:]))
		if size < 512 || size > maxPageSize || size&(size-1) != 0 || i > 0 && size != p.pageSize {
			return 0, errNoLMDB
		}
		p.pageSize = size
	}
	const txn = 128
	meta := metas[0]
	if binary.LittleEndian.Uint64(metas[0][txn:]) < binary.LittleEndian.Uint64(metas[1][txn:]) {
		meta = metas[1]
	}
	tree := meta[72:] // behind that of the free pages
	if flags := binary.LittleEndian.Uint16(tree[4:]); flags != 0 {
		return 0, fmt.Errorf("data.mdb has keys that are not sorted by their bytes, or several values a key (flags %#x): make the database with convert_imageset", flags)
	}
	p.depth = int(binary.LittleEndian.Uint16(tree[6:]))
	p.entries = int64(binary.LittleEndian.Uint64(tree[32:]))
	p.root = binary.LittleEndian.Uint64(tree[40:])
	if p.entries < 0 || p.depth > maxDepth || p.entries > 0 && p.depth == 0 {
		return 0, errNoLMDB
	}
	return binary.LittleEndian.Uint64(meta[120:]), nil
}

func damagedPage(n uint64, format string, args ...any) error {
	return fmt.Errorf("page %d: %s: data.mdb is damaged: make the database again", n, fmt.Sprintf(format, args...))
}

// page is page n, which must be of the kind.
func (p *pages) page(n uint64, kind uint16) ([]byte, error) {
	size := uint64(p.pageSize)
	if n >= uint64(len(p.bytes))/size {
		return nil, damagedPage(n, "it is beyond the file's end")
	}
	b := p.bytes[n*size:][:size]
	if own := binary.LittleEndian.Uint64(b); own != n {
		return nil, damagedPage(n, "it says that it is page %d", own)
	}
	if flags := binary.LittleEndian.Uint16(b[10:]); flags&(pageBranch|pageLeaf|pageOverflow|pageMeta) != kind {
		return nil, damagedPage(n, "it has flags %#x, want %#x", flags, kind)
	}
	return b, nil
}

// tree is a branch or leaf page.
type tree struct {
	number uint64
	bytes  []byte
	nodes  int
}

func (p *pages) tree(n uint64, kind uint16) (tree, error) {
	b, err := p.page(n, kind)
	if err != nil {
		return tree{}, err
	}
	lower, upper := int(binary.LittleEndian.Uint16(b[12:])), int(binary.LittleEndian.Uint16(b[14:]))
	if lower <= pageHeader || lower > upper || upper > p.pageSize || lower%2 != 0 {
		return tree{}, damagedPage(n, "its free space is from byte %d to %d", lower, upper)
	}
	return tree{n, b, (lower - pageHeader) / 2}, nil
}

// node is node i of the page from its header on, and its key.
func (t *tree) node(i int) (node, key []byte, err error) {
	at := int(binary.LittleEndian.Uint16(t.bytes[pageHeader+2*i:]))
	if at < pageHeader+2*t.nodes || at+nodeHeader > len(t.bytes) {
		return nil, nil, damagedPage(t.number, "node %d is at byte %d", i, at)
	}
	node = t.bytes[at:]
	size := int(binary.LittleEndian.Uint16(node[6:]))
	if size > maxKey || nodeHeader+size > len(node) {
		return nil, nil, damagedPage(t.number, "node %d has a key of %d bytes", i, size)
	}
	return node, node[nodeHeader:][:size:size], nil
}

// child is the page that node i of a branch leads to.
func (t *tree) child(i int) (uint64, error) {
	node, _, err := t.node(i)
	if err != nil {
		return 0, err
	}
	return uint64(binary.LittleEndian.Uint32(node)) | uint64(binary.LittleEndian.Uint16(node[4:]))<<32, nil
}

// record is the key and the value of node i of a leaf.
func (p *pages) record(t *tree, i int) (key, value []byte, err error) {
	node, key, err := t.node(i)
	if err != nil {
		return nil, nil, err
	}
	size, flags := int64(binary.LittleEndian.Uint32(node)), binary.LittleEndian.Uint16(node[4:])
	value = node[nodeHeader+len(key):]
	switch {
	case len(key) == 0:
		return nil, nil, damagedPage(t.number, "node %d has no key", i)
	case flags == nodeOverflow && len(value) >= 8:
		value, err = p.overflow(binary.LittleEndian.Uint64(value), size)
		return key, value, err
	case flags != 0:
		return nil, nil, damagedPage(t.number, "node %d has flags %#x", i, flags)
	case size > int64(len(value)):
		return nil, nil, damagedPage(t.number, "node %d has a value of %d bytes", i, size)
	}
	return key, value[:size:size], nil
}

// overflow is a value of that size in pages of its own, from page n on.
func (p *pages) overflow(n uint64, size int64) ([]byte, error) {
	b, err := p.page(n, pageOverflow)
	if err != nil {
		return nil, err
	}
	room := int64(binary.LittleEndian.Uint32(b[12:])) * int64(p.pageSize)
	if left := int64(len(p.bytes)) - int64(n)*int64(p.pageSize); room > left || pageHeader+size > room {
		return nil, damagedPage(n, "a value of %d bytes does not fit %d pages", size, room/int64(p.pageSize))
	}
	return p.bytes[int64(n)*int64(p.pageSize)+pageHeader:][:size:size], nil
}

// cursor is a record of the tree: the way to it from the root down. The zero cursor stands before the first one.
type cursor struct {
	way []step
	key []byte
}

type step struct {
	tree
	at int
}

// descend goes down from page n, which is at that depth, to a leaf; pick chooses the node of each page.
func (c *cursor) descend(p *pages, n uint64, pick func(t *tree, leaf bool) (int, error)) error {
	for {
		kind := uint16(pageBranch)
		leaf := len(c.way) == p.depth-1
		if leaf {
			kind = pageLeaf
		}
		t, err := p.tree(n, kind)
		if err != nil {
			return err
		}
		at, err := pick(&t, leaf)
		if err != nil {
			return err
		}
		c.way = append(c.way, step{t, at})
		if leaf {
			return nil
		}
		if n, err = t.child(at); err != nil {
			return err
		}
	}
}

func first(*tree, bool) (int, error) { return 0, nil }

// next goes on to the next record; false where there is none.
func (c *cursor) next(p *pages) (key, value []byte, ok bool, err error) {
	if c.way == nil {
		err = c.descend(p, p.root, first)
	} else if c.last() {
		return nil, nil, false, nil
	} else {
		err = c.advance(p)
	}
	if err != nil {
		return nil, nil, false, err
	}
	leaf := &c.way[len(c.way)-1]
	if key, value, err = p.record(&leaf.tree, leaf.at); err != nil {
		return nil, nil, false, err
	}
	if bytes.Compare(key, c.key) <= 0 {
		return nil, nil, false, damagedPage(leaf.number, "key %q comes after %q", key, c.key)
	}
	c.key = key
	return key, value, true, nil
}

// last reports whether there is no record behind that of the cursor.
func (c *cursor) last() bool {
	for i := range c.way {
		if c.way[i].at+1 < c.way[i].nodes {
			return false
		}
	}
	return true
}

func (c *cursor) advance(p *pages) error {
	for c.way[len(c.way)-1].at+1 >= c.way[len(c.way)-1].nodes {
		c.way = c.way[:len(c.way)-1]
	}
	s := &c.way[len(c.way)-1]
	s.at++
	if len(c.way) == p.depth {
		return nil
	}
	n, err := s.child(s.at)
	if err != nil {
		return err
	}
	return c.descend(p, n, first)
}

// seek goes to the record with that key; false where there is none.
func (c *cursor) seek(p *pages, key []byte) (found bool, err error) {
	*c = cursor{}
	err = c.descend(p, p.root, func(t *tree, leaf bool) (int, error) {
		at := 0
		// The first key of a branch is not written: it is lower than any.
		for lo, hi := 0, t.nodes; lo < hi; {
			mid := (lo + hi) / 2
			_, k, err := t.node(mid)
			if err != nil {
				return 0, err
			}
			if mid == 0 && !leaf || bytes.Compare(k, key) <= 0 {
				at, lo = mid, mid+1
				found = leaf && bytes.Equal(k, key)
			} else {
				hi = mid
			}
		}
		return at, nil
	})
	c.key = key
	return found && err == nil, err
}
