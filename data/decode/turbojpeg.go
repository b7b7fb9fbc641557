//go:build cgo

package decode

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

// The few functions of TurboJPEG's C interface that are used, declared by hand: the library is looked for when the first JPEG comes.
static void *(*tj_init)(void);
static int (*tj_decompress)(void *, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int);
static int (*tj_destroy)(void *);
static char *(*tj_error)(void *);
static int (*tj_error_code)(void *);

static int turbojpeg_load(const char *name) {
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!lib) return 0;
	*(void **)&tj_init = dlsym(lib, "tjInitDecompress");
	*(void **)&tj_decompress = dlsym(lib, "tjDecompress2");
	*(void **)&tj_destroy = dlsym(lib, "tjDestroy");
	*(void **)&tj_error = dlsym(lib, "tjGetErrorStr2");
	*(void **)&tj_error_code = dlsym(lib, "tjGetErrorCode");
	return tj_init && tj_decompress && tj_destroy && tj_error && tj_error_code;
}

static void *turbojpeg_init(void) { return tj_init(); }
static void turbojpeg_destroy(void *h) { tj_destroy(h); }
static const char *turbojpeg_error(void *h) { return tj_error(h); }

// 0: decoded; anything else: see turbojpeg_error. A warning (stray bytes, a missing end marker) is no error to OpenCV either.
static int turbojpeg_decompress(void *h, const unsigned char *src, size_t n, unsigned char *dst, int width, int height, int format) {
	enum { accurate_dct = 4096, limit_scans = 32768, warning = 0 };
	int rc = tj_decompress(h, src, n, dst, width, 0, height, format, accurate_dct | limit_scans);
	return rc == 0 || tj_error_code(h) == warning ? 0 : rc;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// jpegDecoder is a decompressor of libjpeg-turbo, made at first use.
type jpegDecoder struct {
	handle unsafe.Pointer
}

// libraryNames are the names under which systems have the library.
var libraryNames = []string{"libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.0.dylib", "libturbojpeg.dylib"}

var loadTurboJPEG = sync.OnceValues(func() (string, error) {
	for _, name := range libraryNames {
		c := C.CString(name)
		ok := C.turbojpeg_load(c) != 0
		C.free(unsafe.Pointer(c))
		if ok {
			return name, nil
		}
	}
	return "", errors.New("cannot decode JPEG: libturbojpeg was not found; install it (Debian, Ubuntu: apt install libturbojpeg0)")
})

// Library returns the name of the JPEG library that is in use, or an error that says what to install.
func Library() (string, error) { return loadTurboJPEG() }

// decompress fills img, whose dimensions are those of the file.
func (j *jpegDecoder) decompress(img *Image, data []byte, format pixelFormat) error {
	if _, err := loadTurboJPEG(); err != nil {
		return err
	}
	if j.handle == nil {
		if j.handle = C.turbojpeg_init(); j.handle == nil {
			return errors.New("cannot decode JPEG: libturbojpeg gave no decompressor: out of memory?")
		}
	}
	clear(img.Pix) // a truncated file leaves rows unwritten
	rc := C.turbojpeg_decompress(j.handle, (*C.uchar)(&data[0]), C.size_t(len(data)),
		(*C.uchar)(&img.Pix[0]), C.int(img.Width), C.int(img.Height), C.int(format))
	if rc != 0 {
		return fmt.Errorf("corrupt JPEG: %s", C.GoString(C.turbojpeg_error(j.handle)))
	}
	return nil
}

func (j *jpegDecoder) close() {
	if j.handle != nil {
		C.turbojpeg_destroy(j.handle)
		j.handle = nil
	}
}
