#include "winograd.hpp"

#ifdef GOCAFFE_HAVE_DNNL

using namespace dnnl;
using dims = memory::dims;
using mdesc = memory::desc;

namespace {

// Conv is a convolution's attributes in oneDNN's terms: its dilation is 0 for none.
struct Conv {
  explicit Conv(const gc_window &w) : groups(w.groups) {
    if (w.axes < 1 || w.axes > GC_MAX_AXES) throw Unsupported("convolutions over other than 1 to 3 axes");
    stride.assign(w.stride, w.stride + w.axes);
    pad.assign(w.pad, w.pad + w.axes);
    for (int i = 0; i < w.axes; i++) dilation.push_back(w.dilation[i] - 1);
  }
  Conv with(algorithm a) const {
    Conv c = *this;
    c.how = a;
    return c;
  }
  dims stride, pad, dilation;
  int64_t groups;
  algorithm how = algorithm::convolution_direct;
};

const auto training = prop_kind::forward_training;

#if DNNL_VERSION_MAJOR >= 3
convolution_forward::primitive_desc forward(const Conv &c, const mdesc &x, const mdesc &w, const mdesc &b, const mdesc &y,
                                            const primitive_attr &a) {
  return {cpu_engine(), training, c.how, x, w, b, y, c.stride, c.dilation, c.pad, c.pad, a};
}
convolution_backward_data::primitive_desc backward_data(const Conv &c, const mdesc &x, const mdesc &w, const mdesc &y,
                                                        const convolution_forward::primitive_desc &f) {
  return {cpu_engine(), c.how, x, w, y, c.stride, c.dilation, c.pad, c.pad, f, user_scratchpad()};
}
convolution_backward_weights::primitive_desc backward_weights(const Conv &c, const mdesc &x, const mdesc &w, const mdesc &b,
                                                              const mdesc &y, const convolution_forward::primitive_desc &f) {
  return {cpu_engine(), c.how, x, w, b, y, c.stride, c.dilation, c.pad, c.pad, f, user_scratchpad()};
}
#else
convolution_forward::primitive_desc forward(const Conv &c, const mdesc &x, const mdesc &w, const mdesc &b, const mdesc &y,
                                            const primitive_attr &a) {
  return {convolution_forward::desc(training, c.how, x, w, b, y, c.stride, c.dilation, c.pad, c.pad), a, cpu_engine()};
}
convolution_backward_data::primitive_desc backward_data(const Conv &c, const mdesc &x, const mdesc &w, const mdesc &y,
                                                        const convolution_forward::primitive_desc &f) {
  return {convolution_backward_data::desc(c.how, x, w, y, c.stride, c.dilation, c.pad, c.pad), user_scratchpad(), cpu_engine(), f};
}
convolution_backward_weights::primitive_desc backward_weights(const Conv &c, const mdesc &x, const mdesc &w, const mdesc &b,
                                                              const mdesc &y, const convolution_forward::primitive_desc &f) {
  return {convolution_backward_weights::desc(c.how, x, w, b, y, c.stride, c.dilation, c.pad, c.pad), user_scratchpad(), cpu_engine(), f};
}
#endif

// Tensors are the x, w, y of a convolution, in whichever direction.
struct Tensors {
  gc_desc *x, *w, *y;
  mdesc given(const gc_desc *d, int64_t groups) const { return memory_desc(*d, d == w ? groups : 0); }
  mdesc any(const gc_desc *d, int64_t groups) const { return any_desc(*d, d == w ? groups : 0); }
};

Tensors tensors(int which, const gc_io &io) {
  switch (which) {
    case GC_CONV:
      return {&io.in[0], &io.in[1], &io.out[0]};
    case GC_CONV_GRAD_DATA:
      return {&io.out[0], &io.in[1], &io.in[0]};
  }
  return {&io.in[0], &io.out[0], &io.in[1]};
}

mdesc bias_desc(const Tensors &t) { return mdesc({t.y->dim[1]}, memory::data_type::f32, memory::format_tag::x); }

// attempt is a primitive descriptor for these layouts, or an empty one if oneDNN has
// none or only a slow path for them.
template <class Make>
auto attempt(Make make, const mdesc &x, const mdesc &w, const mdesc &y) -> decltype(make(x, w, y)) {
  try {
    auto pd = make(x, w, y);
    if (!slow(pd.impl_info_str())) return pd;
  } catch (const error &e) {
    if (e.status != dnnl_unimplemented) throw;
  }
  return {};
}

// worth_winograd reports whether Winograd's algorithm is faster for a convolution, in
// whichever direction: tiles of 4×4 outputs cost 36 products a pair of channels instead
// of 144, and transforms of tiles and weights besides. The times, in units of one
// operation of a product, are those that fit what 18 convolutions of VGG, GoogLeNet and
// ResNet took (AVX-512, two threads). Small planes of many channels do not gain. The
// rounding errors are two to six times those of a direct sum in float32, 1e-6 of the
// result in the mean, which is what a product with other blocking may show too.
bool worth_winograd(const Conv &c, const Tensors &t) {
  const gc_desc &w = *t.w;
  if (isa() != Isa::avx512 || c.groups > 1 || w.rank != 4 || w.dim[2] != 3 || w.dim[3] != 3) return false;
  for (int i = 0; i < 2; i++)
    if (c.stride[i] != 1 || c.dilation[i] != 0 || c.pad[i] > 1) return false;
  const double in = static_cast<double>(t.x->dim[1]), out = static_cast<double>(t.y->dim[1]);
  const double tiles = static_cast<double>(t.y->dim[0] * ((t.y->dim[2] + 3) / 4) * ((t.y->dim[3] + 3) / 4));
  const double plain = 2 * 9 * in * static_cast<double>(count(*t.y));
  return 36 * (2 * tiles * in * out + 100 * tiles * (in + out) + 170 * in * out) < 0.9 * plain;
}

bool is_reference(const char *implementation) { return strstr(implementation, "ref") != nullptr; }

// choose is a primitive descriptor for the layouts given; where oneDNN has only its slow
// paths for those, one with weights as it likes them, which are little to reorder, or
// with all tensors so.
template <class Make>
auto choose(const Conv &c, const Tensors &t, Make make_how) {
  const mdesc x = t.given(t.x, 0), w = t.given(t.w, c.groups), y = t.given(t.y, 0), any = t.any(t.w, c.groups);
  const auto by = [&](algorithm how) {
    return [&make_how, v = c.with(how)](const mdesc &x, const mdesc &w, const mdesc &y) { return make_how(v, x, w, y); };
  };
  if (worth_winograd(c, t))
    if (auto pd = attempt(by(algorithm::convolution_winograd), x, w, y)) return pd;
  const auto make = by(algorithm::convolution_direct);
  if (auto pd = attempt(make, x, w, y)) return pd;
  if (auto pd = attempt(make, x, any, y)) return pd;
  if (auto pd = attempt(make, t.any(t.x, 0), any, t.any(t.y, 0))) return pd;
  auto pd = make(x, w, y);
  // The reference takes a hundred times as long as the float32 kernel: LeNet's first gradient.
  if (t.x->dtype == GC_BF16 && t.y->dtype == GC_BF16 && is_reference(pd.impl_info_str())) throw Unsupported("a convolution in bfloat16 without a fast kernel");
  return pd;
}

// Epilogue adds, in the order of engine.Epilogue, what the primitive does itself.
primitive_attr attributes(const gc_epilogue &e) {
  primitive_attr a = user_scratchpad();
  post_ops p;
  if (e.add) p.append_sum(1.f);
#if DNNL_VERSION_MAJOR >= 3
  if (e.relu) p.append_eltwise(algorithm::eltwise_relu, e.slope, 0.f);
  if (e.clip) p.append_eltwise(algorithm::eltwise_clip, e.low, e.high);
#else
  if (e.relu) p.append_eltwise(1.f, algorithm::eltwise_relu, e.slope, 0.f);
  if (e.clip) p.append_eltwise(1.f, algorithm::eltwise_clip, e.low, e.high);
#endif
  a.set_post_ops(p);
  return a;
}

// WithSum is a convolution whose output is first given the tensor to add.
struct WithSum final : gc_kernel {
  void run(void *const *block) override {
    if (block[to] != block[from]) gc_copy(block[to], block[from], bytes, threads);
    conv->run(block);
  }
  const char *implementation() const override { return conv->implementation(); }
  std::unique_ptr<PrimitiveKernel> conv;
  int from = 0, to = 0;
  int64_t bytes = 0;
};

// with_epilogue is a convolution that does the whole epilogue on the way.
gc_kernel *with_epilogue(const Conv &c, const Tensors &t, const gc_epilogue &e, const gc_io &io) {
  // Its kernels clip nothing: they are worth more than the pass that is saved.
  if (e.clip && t.x->dtype == GC_F32 && worth_winograd(c, t)) throw Unsupported("Winograd's algorithm with a clip");
  const mdesc b = e.bias ? bias_desc(t) : mdesc();
  const primitive_attr attr = attributes(e);
  const auto pd = choose(c, t, [&](const Conv &c, const mdesc &x, const mdesc &w, const mdesc &y) { return forward(c, x, w, b, y, attr); });
  const int out = io.n_in;
  if (e.add && pd.dst_desc() != t.given(t.y, 0)) return nullptr;
  auto k = std::make_unique<PrimitiveKernel>();
  k->bind(DNNL_ARG_SRC, 0, pd.src_desc(), t.given(t.x, 0), false);
  k->bind(DNNL_ARG_WEIGHTS, 1, pd.weights_desc(), t.given(t.w, c.groups), false);
  if (e.bias) k->bind(DNNL_ARG_BIAS, 2, b, false);
  k->bind(DNNL_ARG_DST, out, pd.dst_desc(), t.given(t.y, 0), true);
  k->finish(convolution_forward(pd), pd.scratchpad_desc(), out + 1, pd.impl_info_str());
  if (!e.add) return k.release();
  const int add = 2 + e.bias;
  alike(io.in[add], *t.y);
  same_type(io.in[add], *t.y);
  auto s = std::make_unique<WithSum>();
  s->workspace = k->workspace;
  s->conv = std::move(k);
  s->from = add;
  s->to = out;
  s->bytes = elements(*t.y) * element_size(*t.y);
  return s.release();
}

gc_kernel *conv_forward(const Conv &c, const Tensors &t, const gc_epilogue &e, const gc_io &io) {
  if (gc_kernel *k = with_epilogue(c, t, e, io)) return k;
  // oneDNN would add before it reorders: the pass of our own adds behind both.
  return finished(with_epilogue(c, t, gc_epilogue{}, io), e, io);
}

// hint is the forward pass that oneDNN wants to see for a backward one. All its tensors
// are of one type, that of the factors; a gradient may be float32 where they are not.
convolution_forward::primitive_desc hint(const Conv &c, const Tensors &t, const mdesc &x, const mdesc &y) {
  gc_desc fx = *t.x, fw = *t.w;
  fx.dtype = fw.dtype = t.y->dtype;
  return forward(c, fx.dtype == t.x->dtype ? x : any_desc(fx), any_desc(fw, c.groups), mdesc(), y, primitive_attr());
}

gc_kernel *grad_data(const Conv &c, const Tensors &t, const gc_epilogue &e, const gc_io &io) {
  const auto pd = choose(c, t, [&](const Conv &c, const mdesc &x, const mdesc &w, const mdesc &y) {
    return backward_data(c, x, w, y, hint(c, t, x, y));
  });
  const int out = io.n_in;
  auto k = std::make_unique<PrimitiveKernel>();
  k->bind(DNNL_ARG_DIFF_DST, 0, pd.diff_dst_desc(), t.given(t.y, 0), false);
  k->bind(DNNL_ARG_WEIGHTS, 1, pd.weights_desc(), t.given(t.w, c.groups), false);
  k->bind(DNNL_ARG_DIFF_SRC, out, pd.diff_src_desc(), t.given(t.x, 0), true);
  k->finish(convolution_backward_data(pd), pd.scratchpad_desc(), out + 1, pd.impl_info_str());
  // A deconvolution's epilogue: the primitive has none.
  return e.bias || e.add || e.relu ? finished(k.release(), e, io) : k.release();
}

gc_kernel *grad_weights(const Conv &c, const Tensors &t, const gc_io &io) {
  const bool bias = io.n_out > 1 && io.out[1].dtype != GC_NONE;
  const mdesc b = bias ? bias_desc(t) : mdesc();
  const auto pd = choose(c, t, [&](const Conv &c, const mdesc &x, const mdesc &w, const mdesc &y) {
    return backward_weights(c, x, w, b, y, hint(c, t, x, y));
  });
  auto k = std::make_unique<PrimitiveKernel>();
  k->bind(DNNL_ARG_SRC, 0, pd.src_desc(), t.given(t.x, 0), false);
  k->bind(DNNL_ARG_DIFF_DST, 1, pd.diff_dst_desc(), t.given(t.y, 0), false);
  k->bind(DNNL_ARG_DIFF_WEIGHTS, 2, pd.diff_weights_desc(), t.given(t.w, c.groups), true);
  if (bias) k->bind(DNNL_ARG_DIFF_BIAS, 3, b, true);
  k->finish(convolution_backward_weights(pd), pd.scratchpad_desc(), io.n_in + io.n_out, pd.impl_info_str());
  return k.release();
}

// channels_last describes activations with the channels innermost.
mdesc channels_last(const gc_desc &d) {
  static const memory::format_tag tags[] = {memory::format_tag::nwc, memory::format_tag::nhwc, memory::format_tag::ndhwc};
  return mdesc(dims_of(d), any_desc(d).data_type(), tags[d.rank - 3]);
}

bool is_channels_last(const gc_desc &d) { return d.tag == dnnl_nwc || d.tag == dnnl_nhwc || d.tag == dnnl_ndhwc; }

// worth_channels_last reports whether a convolution that reads one of x and y and makes
// or reads the other should run on channels-last tensors. oneDNN's blocked layouts
// compute whole blocks: 20 channels cost as much as 32, where its kernels for
// channels-last tensors compute 20 (LeNet's second convolution: 1.7 times as fast).
// Against that stand reorders: of what it reads if that lies in blocks now, and of the
// other tensor if its channels fill blocks, as whoever else has to do with it will want
// them then. Moving an element takes about as long as 200 operations.
bool worth_channels_last(const Conv &c, const Tensors &t, const gc_desc &reads, const gc_desc &other) {
  const int64_t block = isa() == Isa::avx512 ? 16 : 8;
  const int64_t in = t.x->dim[1], out = t.y->dim[1];
  // Few input channels are an image's, which stays row-major.
  if (c.groups > 1 || in < 4 || (in % block == 0 && out % block == 0)) return false;
  const int64_t padded = ((in + block - 1) / block) * ((out + block - 1) / block) * block * block;
  const int64_t saved = 2 * (padded - in * out) * count(*t.w, 2) * count(*t.y, 2) * t.y->dim[0];
  int64_t moved = other.dim[1] % block == 0 ? count(other) : 0;
  if (is_channels_last(reads)) moved -= count(reads);
  else if (reads.tag != 0) moved += count(reads);
  return saved > 200 * moved;
}

// Wish is the activations that prefer asks for.
struct Wish {
  Wish(const Conv &c, const Tensors &t, bool reads_y) : x(t.any(t.x, 0)), y(t.any(t.y, 0)) {
    if (!worth_channels_last(c, t, reads_y ? *t.y : *t.x, reads_y ? *t.x : *t.y)) return;
    const mdesc last_x = channels_last(*t.x), last_y = channels_last(*t.y);
    const auto make = [&](const mdesc &x, const mdesc &w, const mdesc &y) { return forward(c, x, w, mdesc(), y, primitive_attr()); };
    if (!attempt(make, last_x, t.any(t.w, c.groups), last_y)) return;  // no kernel on this processor
    x = last_x;
    y = last_y;
  }
  mdesc x, y;
};

// weights is what prefer asks for: a layout that the weights, or their gradient, have
// already and that is not one of the slow paths, so that nothing is reordered on the
// way; otherwise whichever oneDNN likes. test makes the primitive descriptor.
template <class Test>
mdesc weights(const Conv &c, const Tensors &t, Test test) {
  const mdesc any = t.any(t.w, c.groups);
  if (t.w->tag == 0) return any;
  try {
    const mdesc given = t.given(t.w, c.groups);
    if (!slow(test(given).impl_info_str())) return given;
  } catch (const error &) {  // oneDNN's refusal of the layout
  } catch (const Unsupported &) {
  }
  return any;
}

// prefer_how asks oneDNN for the layouts of one direction. A weight gradient takes the
// layout of the forward pass's weights, because both are one parameter's.
void prefer_how(int which, const Conv &c, const Tensors &t) {
  const Wish wish(c, t, which == GC_CONV_GRAD_DATA);
  const mdesc x = wish.x, any = t.any(t.w, c.groups), y = wish.y;
  const auto conv = [&](const mdesc &w) { return forward(c, x, w, mdesc(), y, primitive_attr()); };
  if (which == GC_CONV) {
    const auto pd = conv(weights(c, t, conv));
    set_layout(t.x, pd.src_desc());
    set_layout(t.w, pd.weights_desc(), c.groups);
    set_layout(t.y, pd.dst_desc());
    return;
  }
  if (which == GC_CONV_GRAD_DATA) {
    const auto data = [&](const mdesc &w) { return backward_data(c, x, w, y, hint(c, t, x, y)); };
    const auto pd = data(weights(c, t, data));
    set_layout(t.x, pd.diff_src_desc());
    set_layout(t.w, pd.weights_desc(), c.groups);
    set_layout(t.y, pd.diff_dst_desc());
    return;
  }
  const auto pd = backward_weights(c, x, any, mdesc(), y, hint(c, t, x, y));
  set_layout(t.x, pd.src_desc());
  set_layout(t.y, pd.diff_dst_desc());
  if (t.w->tag != 0) return;
  // The parameter that it belongs to is float32, whatever the factors are.
  set_layout(t.w, any.data_type() == pd.src_desc().data_type() ? conv(any).weights_desc() : pd.diff_weights_desc(), c.groups);
}

// prefer asks for Winograd's layouts where that is faster and oneDNN has it.
void prefer(int which, const Conv &c, const Tensors &t) {
  if (worth_winograd(c, t)) {
    const gc_desc x = *t.x, w = *t.w, y = *t.y;
    try {
      return prefer_how(which, c.with(algorithm::convolution_winograd), t);
    } catch (const error &) {
    } catch (const Unsupported &) {
    }
    *t.x = x, *t.w = w, *t.y = y;
  }
  prefer_how(which, c, t);
}

}  // namespace

extern "C" gc_kernel *gc_prepare_conv(int which, const gc_window *w, const gc_epilogue *e, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Conv c(*w);
    const Tensors t = tensors(which, io);
#ifdef GOCAFFE_WINOGRAD
    if (gc_kernel *k = winograd_bf16(which, *w, *e, io)) return k;
#endif
    switch (which) {
      case GC_CONV:
        return conv_forward(c, t, *e, io);
      case GC_CONV_GRAD_DATA:
        return grad_data(c, t, *e, io);
    }
    return grad_weights(c, t, io);
  });
}

extern "C" int gc_prefer_conv(int which, const gc_window *w, gc_io io, gc_error *err) {
  try {
    enter(io.threads);
    prefer(which, Conv(*w), tensors(which, io));
    return GC_OK;
  } catch (...) {
    report(err);
    return err->code;
  }
}

#endif
