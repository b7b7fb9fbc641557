#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

static void say(gc_error *err, int code, const char *text) {
  err->code = code;
  snprintf(err->text, sizeof err->text, "%s", text);
}

void report(gc_error *err) {
  try {
    throw;
  } catch (const LabelFault &l) {
    say(err, GC_LABEL, "label");
    err->label = l.label;
    err->item = l.item;
    err->classes = l.classes;
  } catch (const Unsupported &u) {
    say(err, GC_UNSUPPORTED, u.what());
  } catch (const dnnl::error &e) {
    const std::string text = std::string("oneDNN: ") + e.what() + " (" + dnnl_status2str(e.status) + ")";
    const bool refused = e.status == dnnl_unimplemented || e.status == dnnl_invalid_arguments;
    say(err, refused ? GC_UNSUPPORTED : GC_FAILED, text.c_str());
  } catch (const std::exception &e) {
    say(err, GC_FAILED, e.what());
  } catch (...) {
    say(err, GC_FAILED, "unknown exception");
  }
}

dnnl::engine &cpu_engine() {
  static dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}

dnnl::stream &cpu_stream() {
  static dnnl::stream s(cpu_engine());
  return s;
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr a;
  a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return a;
}

bool slow(const char *implementation) {
  const std::string s(implementation);
  return s.find("ref") != std::string::npos || s.find("gemm") != std::string::npos;
}

size_t PrimitiveKernel::slot(const dnnl::memory::desc &d, int place, int64_t offset) {
  slots.push_back({dnnl::memory(d, cpu_engine(), nullptr), place, offset, nullptr});
  return slots.size() - 1;
}

// reserve takes room for a tensor in the workspace and returns its offset.
int64_t PrimitiveKernel::reserve(const dnnl::memory::desc &d) {
  const int64_t at = workspace;
  workspace += (static_cast<int64_t>(d.get_size()) + 63) / 64 * 64;
  return at;
}

void PrimitiveKernel::bind(int arg, int place, const dnnl::memory::desc &want, const dnnl::memory::desc &have, bool out) {
  const size_t given = slot(have, place, 0);
  size_t used = given;
  if (want != have) {
    used = slot(want, in_workspace, reserve(want));
    const size_t from = out ? used : given, to = out ? given : used;
    const dnnl::memory::desc &a = out ? want : have, &b = out ? have : want;
    // A reorder needs no scratchpad on a CPU, so the default mode will do.
    dnnl::reorder r{dnnl::reorder::primitive_desc(cpu_engine(), a, cpu_engine(), b)};
    (out ? after : before).push_back({r, from, to});
  }
  args.push_back({arg, slots[used].memory.get()});
}

void PrimitiveKernel::finish(const dnnl::primitive &p, const dnnl::memory::desc &scratchpad, int ws, const char *implementation) {
  primitive = p;
  name = implementation;
  workspace_place = ws;
  if (scratchpad.get_size() > 0) {
    const size_t s = slot(scratchpad, in_workspace, reserve(scratchpad));
    args.push_back({DNNL_ARG_SCRATCHPAD, slots[s].memory.get()});
  }
}

void PrimitiveKernel::set(Slot &s, void *p) {
  if (p == s.at) return;
  s.memory.set_data_handle(p);
  s.at = p;
}

void PrimitiveKernel::move(const Move &m) {
  dnnl_exec_arg_t a[] = {{DNNL_ARG_FROM, slots[m.from].memory.get()}, {DNNL_ARG_TO, slots[m.to].memory.get()}};
  dnnl::error::wrap_c_api(dnnl_primitive_execute(m.reorder.get(), cpu_stream().get(), 2, a), "could not execute a reorder");
}

void PrimitiveKernel::run(void *const *block) {
  char *ws = static_cast<char *>(block[workspace_place]);
  for (Slot &s : slots) set(s, s.place == in_workspace ? ws + s.offset : block[s.place]);
  for (const Move &m : before) move(m);
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), cpu_stream().get(), static_cast<int>(args.size()), args.data()),
                          "could not execute a primitive");
  for (const Move &m : after) move(m);
}

extern "C" int gc_run(gc_kernel *k, void *const *block) {
  try {
    enter(k->threads);
    k->run(block);
    return GC_OK;
  } catch (...) {
    report(&k->error);
    return k->error.code;
  }
}

extern "C" int64_t gc_workspace(const gc_kernel *k) { return k->workspace; }
extern "C" const gc_error *gc_kernel_error(const gc_kernel *k) { return &k->error; }
extern "C" const char *gc_implementation(const gc_kernel *k) { return k->implementation(); }
extern "C" void gc_kernel_free(gc_kernel *k) { delete k; }

#endif
