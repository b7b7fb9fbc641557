//go:build cgo && linux

package cuda

import (
	"errors"
	"sync"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// libraries are cuDNN and cuBLASLt on one GPU, opened when the first op needs them. What
// is missing is found out once, and is the error of the ops that need it.
type libraries struct {
	mu       sync.Mutex // a handle is used by one thread at a time
	cudnn    handle[*shim.CudnnHandle]
	cublaslt handle[*shim.CublasLtHandle]
}

// handle is a library's state, or why there is none.
type handle[H any] struct {
	once sync.Once
	at   H
	open bool
	err  error
}

func (h *handle[H]) get(open func() (H, error)) (H, error) {
	h.once.Do(func() {
		h.at, h.err = open()
		h.open = h.err == nil
	})
	return h.at, h.err
}

// cudnn is cuDNN's handle.
func (d *device) cudnn() (*shim.CudnnHandle, error) {
	return d.libs.cudnn.get(func() (*shim.CudnnHandle, error) {
		lib, err := shim.OpenCudnn()
		if err != nil {
			return nil, err
		}
		return lib.NewHandle(d.ctx)
	})
}

// cublaslt is cuBLASLt's handle.
func (d *device) cublaslt() (*shim.CublasLtHandle, error) {
	return d.libs.cublaslt.get(func() (*shim.CublasLtHandle, error) {
		lib, err := shim.OpenCublasLt()
		if err != nil {
			return nil, err
		}
		return lib.NewHandle(d.ctx)
	})
}

// close frees what was opened.
func (l *libraries) close() error {
	var err error
	if l.cudnn.open {
		err = l.cudnn.at.Close()
	}
	if l.cublaslt.open {
		err = errors.Join(err, l.cublaslt.at.Close())
	}
	return err
}

// refused makes an engine.UnsupportedError of a library's answer that it has no such
// kernel; other errors stay what they are. A library that is missing is one of those:
// convolutions in plain Go would be a run on the GPU in name only.
func (d *device) refused(op engine.Op, err error) error {
	if errors.Is(err, shim.ErrNotSupported) {
		return unsupported(op, err.Error())
	}
	return d.failed(err)
}
