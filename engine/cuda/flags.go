//go:build cgo && linux

package cuda

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// maxFlags is how many prepared kernels may report bad data.
const maxFlags = 4096

// noFlag is what a flag holds while all is well.
const noFlag = math.MaxUint64

// flags are words in the GPU's memory, one for each prepared kernel that can meet bad
// data. Such a kernel does atomicMin(flag, item<<32 | bits of the float that is wrong)
// for each bad item, so that the first one is told, as ref does, and goes on as if the
// item were good to skip.
type flags struct {
	mu    sync.Mutex
	at    uint64
	word  map[int]func(item int, value float32) error // by index: the error of the kernel
	next  int
	spare []int
}

func (f *flags) open(d *device) error {
	at, err := d.ctx.Alloc(8 * maxFlags)
	if err != nil {
		return d.failed(err)
	}
	f.at, f.word = at, map[int]func(int, float32) error{}
	return f.reset(d)
}

func (f *flags) close(d *device) error { return d.ctx.Free(f.at) }

// reset clears all flags.
func (f *flags) reset(d *device) error {
	q, err := d.ctx.NewStream()
	if err != nil {
		return d.failed(err)
	}
	if err := q.Fill(f.at, 0xff, 8*maxFlags); err != nil {
		return joinFailed(d, err, q.Close())
	}
	return joinFailed(d, q.Sync(), q.Close())
}

// flag gives the address of a flag and what returns it. say words the error, or makes
// an engine.LabelError or engine.IndexError.
func (d *device) flag(say func(item int, value float32) error) (at uint64, release func() error, err error) {
	f := &d.flags
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.next
	switch {
	case len(f.spare) > 0:
		i, f.spare = f.spare[len(f.spare)-1], f.spare[:len(f.spare)-1]
	case i == maxFlags:
		return 0, nil, fmt.Errorf("cuda: more than %d kernels that check labels or indices", maxFlags)
	default:
		f.next++
	}
	f.word[i] = say
	return f.at + 8*uint64(i), func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.word, i)
		f.spare = append(f.spare, i)
		return nil
	}, nil
}

// bytes is the memory that holds flags in use.
func (f *flags) bytes() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.word) == 0 {
		return 0
	}
	return 8 * int64(f.next)
}

// read finds the first raised flag in a copy of their memory, nil if none is.
func (f *flags) read(copied []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := 0; 8*i+8 <= len(copied); i++ {
		v := binary.NativeEndian.Uint64(copied[8*i:])
		if say := f.word[i]; v != noFlag && say != nil {
			return say(int(v>>32), math.Float32frombits(uint32(v)))
		}
	}
	return nil
}

// collect queues the copy of the flags in use to pinned memory.
func (f *flags) collect(q *shim.Stream, pinned []byte) (int64, error) {
	n := min(f.bytes(), int64(len(pinned)))
	if n == 0 {
		return 0, nil
	}
	return n, q.CopyOut(pinned[:n], f.at)
}
