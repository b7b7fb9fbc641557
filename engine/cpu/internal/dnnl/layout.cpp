#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

using dnnl::memory;

int64_t count(const gc_desc &d, int from, int to) {
  int64_t n = 1;
  for (int i = from; i < (to < 0 ? d.rank : to); i++) n *= d.dim[i];
  return n;
}

memory::dims dims_of(const gc_desc &d, int64_t groups) {
  memory::dims v(d.dim, d.dim + d.rank);
  if (groups > 1) {
    v[0] /= groups;
    v.insert(v.begin(), groups);
  }
  if (v.empty()) v.push_back(1);
  return v;
}

static memory::data_type type_of(const gc_desc &d) {
  switch (d.dtype) {
    case GC_F32:
      return memory::data_type::f32;
    case GC_I32:
      return memory::data_type::s32;
    case GC_BF16:
      return memory::data_type::bf16;
  }
  throw Unsupported("an input or output without a type");
}

static memory::format_tag plain_tag(size_t rank) {
  static const memory::format_tag tags[] = {
      memory::format_tag::a,     memory::format_tag::ab,     memory::format_tag::abc,     memory::format_tag::abcd,
      memory::format_tag::abcde, memory::format_tag::abcdef, memory::format_tag::abcdefg, memory::format_tag::abcdefgh};
  if (rank < 1 || rank > 8) throw Unsupported("tensors of more than 8 axes");
  return tags[rank - 1];
}

memory::desc memory_desc(const gc_desc &d, int64_t groups) {
  const int64_t split = d.tag != 0 && d.groups > 1 ? d.groups : groups;
  const memory::dims v = dims_of(d, split);
  const memory::format_tag tag = d.tag == 0 ? plain_tag(v.size()) : static_cast<memory::format_tag>(d.tag);
  return memory::desc(v, type_of(d), tag);
}

memory::desc any_desc(const gc_desc &d, int64_t groups) {
  return memory::desc(dims_of(d, groups), type_of(d), memory::format_tag::any);
}

// The layouts looked for first: where a dimension is 1 several tags describe the same
// memory, and these are the ones that mean the same for every shape.
static const dnnl_format_tag_t common_tags[] = {
    dnnl_nCw16c,      dnnl_nChw16c,     dnnl_nCdhw16c,    dnnl_nCw8c,        dnnl_nChw8c,        dnnl_nCdhw8c,       dnnl_nwc,
    dnnl_nhwc,        dnnl_ndhwc,       dnnl_OIw16i16o,   dnnl_OIhw16i16o,   dnnl_OIdhw16i16o,   dnnl_OIw16o16i,     dnnl_OIhw16o16i,
    dnnl_OIdhw16o16i, dnnl_OIw8i8o,     dnnl_OIhw8i8o,    dnnl_OIdhw8i8o,    dnnl_Oihw16o,       dnnl_Ohwi16o,       dnnl_Ohwi8o,
    dnnl_gOIw16i16o,  dnnl_gOIhw16i16o, dnnl_gOIdhw16i16o, dnnl_gOIhw16o16i, dnnl_gOIdhw16o16i, dnnl_gOIhw8i8o,     dnnl_Goihw16g,
    dnnl_Goihw8g,     dnnl_Goiw16g,     dnnl_Goidhw16g,
    dnnl_OIhw8i16o2i, dnnl_OIhw8o16i2o, dnnl_IOhw8o16i2o, dnnl_OhwI16o2i,  dnnl_gOIhw8i16o2i, dnnl_gOIhw8o16i2o};

static bool has_tag(const memory::desc &m, const memory::dims &v, memory::data_type type, dnnl_format_tag_t tag) {
  const memory::desc t(v, type, static_cast<memory::format_tag>(tag), true);
  return !t.is_zero() && t == m;
}

void set_layout(gc_desc *d, const memory::desc &m, int64_t groups) {
  const memory::dims v = dims_of(*d, groups);
  const memory::data_type type = type_of(*d);
  d->tag = d->groups = 0;
  if (has_tag(m, v, type, static_cast<dnnl_format_tag_t>(plain_tag(v.size())))) return;
  d->groups = static_cast<int32_t>(groups > 1 ? groups : 0);
  for (dnnl_format_tag_t t : common_tags)
    if (has_tag(m, v, type, t)) {
      d->tag = t;
      return;
    }
  for (int t = dnnl_a; t < dnnl_format_tag_last; t++)
    if (has_tag(m, v, type, static_cast<dnnl_format_tag_t>(t))) {
      d->tag = t;
      return;
    }
  throw Unsupported("oneDNN prefers a layout that has no name");
}

extern "C" int64_t gc_bytes(const gc_desc *d) {
  try {
    if (d->tag == 0) return count(*d) * element_size(*d);
    return static_cast<int64_t>(memory_desc(*d).get_size());
  } catch (...) {
    return -1;
  }
}

int64_t elements(const gc_desc &d) {
  const int64_t n = gc_bytes(&d);
  if (n < 0) throw Unsupported("the layout does not fit the shape");
  return n / element_size(d);
}

extern "C" const char *gc_tag_name(int tag) {
  switch (tag) {  // the names that people know, instead of aBcd16b
    case dnnl_nChw16c:
      return "nChw16c";
    case dnnl_nChw8c:
      return "nChw8c";
    case dnnl_nCdhw16c:
      return "nCdhw16c";
    case dnnl_nCw16c:
      return "nCw16c";
    case dnnl_nhwc:
      return "nhwc";
    case dnnl_OIhw16i16o:
      return "OIhw16i16o";
    case dnnl_OIhw16o16i:
      return "OIhw16o16i";
    case dnnl_gOIhw16i16o:
      return "gOIhw16i16o";
    case dnnl_gOIhw16o16i:
      return "gOIhw16o16i";
    case dnnl_Goihw16g:
      return "Goihw16g";
    case dnnl_OIhw8i16o2i:
      return "OIhw8i16o2i";
    case dnnl_OIhw8o16i2o:
      return "OIhw8o16i2o";
    case dnnl_Ohwi16o:
      return "Ohwi16o";
    case dnnl_Ohwi64o:
      return "Ohwi64o";
    case dnnl_Oihw16o:
      return "Oihw16o";
  }
  return dnnl_fmt_tag2str(static_cast<dnnl_format_tag_t>(tag));
}

extern "C" int gc_channel_block(const gc_desc *d) {
  if (d->tag == 0) return 1;
  if (d->groups > 1) return 0;
  switch (d->tag) {
    case dnnl_nwc:
    case dnnl_nhwc:
    case dnnl_ndhwc:
      return 1;
    case dnnl_nCw16c:
    case dnnl_nChw16c:
    case dnnl_nCdhw16c:
      return 16;
    case dnnl_nCw8c:
    case dnnl_nChw8c:
    case dnnl_nCdhw8c:
      return 8;
    case dnnl_nCw4c:
    case dnnl_nChw4c:
    case dnnl_nCdhw4c:
      return 4;
  }
  return 0;
}

Channels channels(const gc_desc &d) {
  const int block = gc_channel_block(&d);
  if (block == 0 || d.rank < 2) throw Unsupported("channels in this layout");
  const int64_t s = count(d, 2);
  if (d.tag != 0 && block == 1) return {d.dim[0] * s, d.dim[1], 1, 1};
  return {d.dim[0], d.dim[1], s, block};
}

Channels middle(const gc_desc &d, int axis, int rank) {
  plain(d);
  return {count(d, 0, axis), count(d, axis, axis + rank), count(d, axis + rank), 1};
}

void plain(const gc_desc &d) {
  if (d.tag != 0) throw Unsupported("a tensor that is not row-major");
}

void same_layout(const gc_desc &a, const gc_desc &b) {
  if (a.tag != b.tag || a.groups != b.groups) throw Unsupported("tensors of different layouts");
  if (a.dtype != GC_F32 || b.dtype != GC_F32) throw Unsupported("tensors that are not float32");
}

void alike(const gc_desc &a, const gc_desc &b) {
  if (a.tag != b.tag || a.groups != b.groups) throw Unsupported("tensors of different layouts");
  for (const gc_desc *d : {&a, &b})
    if (d->dtype != GC_F32 && d->dtype != GC_BF16) throw Unsupported("tensors that are neither float32 nor bfloat16");
}

void same_type(const gc_desc &a, const gc_desc &b) {
  if (a.dtype != b.dtype) throw Unsupported("tensors of different types");
}

template <class T>
static void zero_tail_of(T *x, const Channels &v) {
  const int64_t used = v.c % v.block;
  if (used == 0) return;
  const int64_t plane = v.s * v.block, item = plane * v.blocks();
  for (int64_t n = 0; n < v.n; n++) {
    T *p = x + n * item + (v.blocks() - 1) * plane;
    for (int64_t s = 0; s < v.s; s++, p += v.block)
      for (int64_t l = used; l < v.block; l++) p[l] = 0;
  }
}

void zero_tail(float *x, const Channels &v) { zero_tail_of(x, v); }

void zero_tail(void *x, const Channels &v, bool narrow) {
  narrow ? zero_tail_of(static_cast<uint16_t *>(x), v) : zero_tail_of(static_cast<float *>(x), v);
}

static gc_kernel *copy(const gc_desc &x, int threads) {
  const int64_t bytes = elements(x) * element_size(x);
  return loop([bytes, threads](void *const *b) {
    if (b[0] != b[1]) gc_copy(b[1], b[0], bytes, threads);
  });
}

static gc_kernel *reorder(const gc_io &io) {
  const gc_desc &x = io.in[0], &y = io.out[0];
  if (x.tag == y.tag && x.groups == y.groups && x.dtype == y.dtype) return copy(x, io.threads);
  const int64_t groups = std::max(x.groups, y.groups);
  const memory::desc from = memory_desc(x, groups), to = memory_desc(y, groups);
  if ((x.tag != 0 && y.tag != 0 && x.groups != y.groups) || dims_of(x) != dims_of(y)) throw Unsupported("a reorder between layouts of different groups");
  auto k = std::make_unique<PrimitiveKernel>();
  const dnnl::reorder::primitive_desc pd(cpu_engine(), from, cpu_engine(), to, user_scratchpad());
  k->bind(DNNL_ARG_FROM, 0, from, false);
  k->bind(DNNL_ARG_TO, 1, to, true);
  k->finish(dnnl::reorder(pd), pd.scratchpad_desc(), 2, pd.impl_info_str());
  return k.release();
}

extern "C" gc_kernel *gc_prepare_reorder(gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return reorder(io); });
}

#endif
