#include "dev.h"
#include "map.h"

// PixelsArgs: y has n elements, in the order pictures, then the axes whose sizes are outer,
// mid and inner: channels, rows and columns, or with last rows, columns and channels. The
// mean image has rows of mean_width, and mean_plane elements a channel; 0 and 1 where there
// is one value a channel.
struct PixelsArgs {
  u64 bytes, windows, mean, y;
  Div outer, mid, inner;
  u32 n, last, channels, height, width, mean_plane, mean_width;
  float scale;
};

// Window is engine.Window…
struct Window {
  float top, left, mirrored, interleaved;
};

template <class T> DEV void pixels(const PixelsArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 q = quotient(i, a.inner), innermost = i - q * a.inner.d;
    u32 r = quotient(q, a.mid), middle = q - r * a.mid.d;
    u32 picture = quotient(r, a.outer), outermost = r - picture * a.outer.d;
    u32 c = a.last ? innermost : outermost, row = a.last ? outermost : middle, column = a.last ? middle : innermost;
    Window w = ((const Window *)a.windows)[picture];
    if (w.mirrored != 0) column = a.width - 1 - column;
    u32 planar = (c * a.height + row) * a.width + column, interleaved = (row * a.width + column) * a.channels + c;
    u32 at = picture * (a.channels * a.height * a.width) + (w.interleaved != 0 ? interleaved : planar);
    u32 within = a.mean_width ? ((u32)w.top + row) * a.mean_width + (u32)w.left + column : 0;
    float mean = ((const float *)a.mean)[c * a.mean_plane + within];
    put((T *)a.y + i, ((float)((const u8 *)a.bytes)[at] - mean) * a.scale);
  }
}
BOTH(THREADS, pixels, PixelsArgs, pixels)
