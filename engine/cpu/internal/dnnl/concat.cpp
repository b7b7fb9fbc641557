#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

namespace {

// Pieces is a tensor cut along an axis: every one of rows rows of the whole is made
// of one run of each part. Parts that nobody reads have a shape but no type.
struct Pieces {
  struct Piece {
    int place;         // in the block
    int64_t at, size;  // the run in a row of the whole, in elements
  };
  std::vector<Piece> list;
  int64_t rows = 1, row = 0, bytes = 4;  // bytes an element

  Pieces(const gc_desc &whole, const gc_desc *parts, int n, int axis, int first) {
    for (int i = 0; i < n; i++)
      if (parts[i].dtype != GC_NONE) {
        alike(parts[i], whole);
        same_type(parts[i], whole);
      }
    bytes = element_size(whole);
    const bool blocked = whole.tag != 0 && axis > 0;
    if (blocked && axis != 1) throw Unsupported("an axis other than the channels' in this layout");
    const Channels v = blocked ? channels(whole) : Channels{count(whole, 0, axis), 0, 0, 1};
    rows = v.n;
    row = elements(whole) / rows;
    place(whole, parts, n, axis, first, v.block);
  }

 private:
  void place(const gc_desc &whole, const gc_desc *parts, int n, int axis, int first, int64_t block) {
    int64_t at = 0;
    const int64_t unit = row / (axis == 0 ? whole.dim[0] : (whole.dim[axis] + block - 1) / block);
    for (int i = 0; i < n; i++) {
      const int64_t size = parts[i].dim[axis];
      if (axis > 0 && size % block != 0 && i + 1 < n) throw Unsupported("channels that do not fill their blocks");
      const int64_t run = (axis == 0 ? size : (size + block - 1) / block) * unit;
      if (parts[i].dtype != GC_NONE && run > 0) list.push_back({first + i, at, run});
      at += run;
    }
  }
};

// copy moves all runs, into the whole at place whole or out of it.
gc_kernel *copy(const Pieces &p, int whole, bool join) {
  const int64_t n = static_cast<int64_t>(p.list.size());
  return loop([=](void *const *b) {
    split_items(p.rows * n, p.rows * p.row, [&](int64_t i) {
      const Pieces::Piece &piece = p.list[i % n];
      char *in_whole = static_cast<char *>(b[whole]) + (i / n * p.row + piece.at) * p.bytes;
      char *part = static_cast<char *>(b[piece.place]) + i / n * piece.size * p.bytes;
      join ? memcpy(in_whole, part, piece.size * p.bytes) : memcpy(part, in_whole, piece.size * p.bytes);
    });
  });
}

}  // namespace

extern "C" gc_kernel *gc_prepare_concat(int axis, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return copy(Pieces(io.out[0], io.in, io.n_in, axis, 0), io.n_in, true); });
}

extern "C" gc_kernel *gc_prepare_slice(int axis, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return copy(Pieces(io.in[0], io.out, io.n_out, axis, 1), 0, false); });
}

#endif
