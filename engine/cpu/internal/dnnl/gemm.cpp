#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

using namespace dnnl;

// matrix describes an operand; a transposed one is the same memory with its strides
// exchanged.
static memory::desc matrix(const gc_desc &d, bool trans) {
  plain(d);
  if (!trans) return memory_desc(d);
  return memory::desc({d.dim[1], d.dim[0]}, any_desc(d).data_type(), memory::format_tag::ba);
}

static matmul::primitive_desc product(const memory::desc &a, const memory::desc &b, const memory::desc &bias, const memory::desc &c,
                                      const primitive_attr &attr) {
#if DNNL_VERSION_MAJOR >= 3
  return {cpu_engine(), a, b, bias, c, attr};
#else
  return {matmul::desc(a, b, bias, c), attr, cpu_engine()};
#endif
}

static primitive_attr epilogue(const gc_epilogue &e, const memory::desc &add) {
  primitive_attr attr = user_scratchpad();
  post_ops p;
  if (e.add) p.append_binary(algorithm::binary_add, add);
#if DNNL_VERSION_MAJOR >= 3
  if (e.relu) p.append_eltwise(algorithm::eltwise_relu, e.slope, 0.f);
#else
  if (e.relu) p.append_eltwise(1.f, algorithm::eltwise_relu, e.slope, 0.f);
#endif
  attr.set_post_ops(p);
  return attr;
}

static gc_kernel *gemm(bool trans_a, bool trans_b, const gc_epilogue &e, const gc_io &io) {
  const memory::desc a = matrix(io.in[0], trans_a), b = matrix(io.in[1], trans_b), c = matrix(io.out[0], false);
  const memory::desc bias =
      e.bias ? memory::desc({1, io.out[0].dim[1]}, memory::data_type::f32, memory::format_tag::ab) : memory::desc();
  const memory::desc add = e.add ? matrix(io.in[2 + e.bias], false) : memory::desc();
  const auto pd = product(a, b, bias, c, epilogue(e, add));
  const int out = io.n_in;
  auto k = std::make_unique<PrimitiveKernel>();
  k->bind(DNNL_ARG_SRC, 0, a, false);
  k->bind(DNNL_ARG_WEIGHTS, 1, b, false);
  if (e.bias) k->bind(DNNL_ARG_BIAS, 2, bias, false);
  if (e.add) k->bind(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, 2 + e.bias, add, false);
  k->bind(DNNL_ARG_DST, out, c, true);
  k->finish(matmul(pd), pd.scratchpad_desc(), out + 1, pd.impl_info_str());
  return k.release();
}

extern "C" gc_kernel *gc_prepare_gemm(int trans_a, int trans_b, const gc_epilogue *e, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return gemm(trans_a, trans_b, *e, io); });
}

#endif
