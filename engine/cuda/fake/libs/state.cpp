#include "state.hpp"

#include "fakecuda.h"

#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <time.h>

State &state() {
  static State *s = new State; // never destroyed: libraries may call at exit
  return *s;
}

static void number(const char *name, size_t *v) {
  if (const char *text = getenv(name)) *v = strtoull(text, nullptr, 10);
}

Config::Config() {
  size_t n;
  if (number("GOCAFFE_FAKECUDA_DRIVER", &(n = 0)), n) version = int(n);
  if (getenv("GOCAFFE_FAKECUDA_DEVICES")) number("GOCAFFE_FAKECUDA_DEVICES", &n), devices = int(n);
  if (number("GOCAFFE_FAKECUDA_CAPABILITY", &(n = 0)), n) major = int(n / 10), minor = int(n % 10);
  number("GOCAFFE_FAKECUDA_MEMORY", &memory);
  number("GOCAFFE_FAKECUDA_SEED", &(n = 1));
  seed = n;
  const char *list = getenv("GOCAFFE_FAKECUDA_FAIL");
  std::stringstream in(list ? list : "");
  for (std::string part; std::getline(in, part, ',');) {
    size_t at = part.find('@'), is = part.find('=');
    if (at == std::string::npos || is == std::string::npos || is < at) {
      fprintf(stderr, "fake: GOCAFFE_FAKECUDA_FAIL: \"%s\" is not NAME@CALL=STATUS\n", part.c_str());
      abort();
    }
    fail[part.substr(0, at)][atoi(part.c_str() + at + 1)] = atoi(part.c_str() + is + 1);
  }
}

static int vrefuse(int code, const char *function, const char *format, va_list args) {
  fprintf(stderr, "fake: %s: ", function);
  vfprintf(stderr, format, args);
  fprintf(stderr, "\n");
  return code;
}

API int fakeRefuse(int code, const char *function, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vrefuse(code, function, format, args);
  va_end(args);
  return code;
}

// A context that met one of these answers nothing else any more.
static bool breaks(int status) {
  static const std::set<int> all = {214, 700, 702, 710, 714, 715, 716, 717, 718, 719, UNKNOWN};
  return all.count(status);
}

static int injected(const char *name) {
  State &S = state();
  auto f = S.config.fail.find(name);
  if (f == S.config.fail.end()) return 0;
  auto at = f->second.find(++S.calls[name]);
  return at == f->second.end() ? 0 : at->second;
}

API CUresult fakeEnter(const char *function) {
  State &S = state();
  std::lock_guard<std::recursive_mutex> guard(S.lock);
  if (S.lost) return S.lost;
  int status = injected(function);
  if (breaks(status)) S.lost = status;
  return status;
}

API int fakeCheck(const char *function, const char *what, const void *p, size_t bytes, size_t align) {
  State &S = state();
  std::lock_guard<std::recursive_mutex> guard(S.lock);
  uintptr_t at = uintptr_t(p);
  auto next = S.device.upper_bound(at);
  if (next == S.device.begin()) return fakeRefuse(0, function, "%s: %p is no address of the GPU", what, p);
  auto a = std::prev(next);
  if (at - a->first > a->second || bytes > a->second - (at - a->first))
    return fakeRefuse(0, function, "%s: %zu bytes at %p go beyond the allocation of %zu at %p", what, bytes, p, a->second, (void *)a->first);
  if (align && at % align) return fakeRefuse(0, function, "%s: %p is not aligned to %zu", what, p, align);
  return 1;
}

// enqueue queues work on a stream, or adds it to the graph that the stream records.
static CUresult enqueue(CUstream s, const Work &w) {
  State &S = state();
  if (S.lost) return S.lost;
  if (!S.streams.count(s)) return fakeRefuse(INVALID_HANDLE, w.name.c_str(), "no such stream; the default stream is not for us");
  if (!s->capture) {
    s->queue.push_back(Item{w, nullptr, nullptr});
    return SUCCESS;
  }
  if (s->capture->broken) return CAPTURE_INVALIDATED;
  auto &nodes = s->capture->graph.nodes;
  nodes.push_back(Node{w, s->tail});
  s->tail = {int(nodes.size()) - 1};
  return SUCCESS;
}

API CUresult fakeEnqueue(CUstream s, const char *name, void (*run)(const void *), const void *arg, size_t bytes) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  auto copy = std::make_shared<std::vector<uint64_t>>((bytes + 7) / 8 + 1);
  if (bytes) memcpy(copy->data(), arg, bytes);
  return enqueue(s, Work{name, [run, copy] { run(copy->data()); }});
}

API int fakecuda_enqueue(void *stream, const char *name, void (*work)(void *), void *arg, const fakecuda_span *spans, int count) {
  State &S = state();
  std::lock_guard<std::recursive_mutex> guard(S.lock);
  std::shared_ptr<void> owned(arg, free);
  std::vector<fakecuda_span> list(spans, spans + count);
  auto live = [name = std::string(name), list] {
    for (auto &m : list)
      if (!fakeCheck(name.c_str(), m.written ? "what it writes" : "what it reads", m.at, m.bytes, 0)) return false;
    return true;
  };
  if (!live()) return S.lost = ILLEGAL_ADDRESS;
  return enqueue((CUstream)stream, Work{name, [work, owned, live] {
    if (live()) return work(owned.get());
    state().lost = ILLEGAL_ADDRESS; // freed since it was queued
  }});
}

API int fakecuda_unready(void *stream, int *ran) {
  State &S = state();
  std::lock_guard<std::recursive_mutex> guard(S.lock);
  CUstream s = (CUstream)stream;
  if (!S.streams.count(s)) return SUCCESS; // refused elsewhere
  if (!*ran && s->capture) {
    s->capture->broken = true;
    return fakeRefuse(CAPTURE_UNSUPPORTED, "a library", "its first run of something is recorded: it loads code then");
  }
  *ran = 1;
  return SUCCESS;
}

API int fakecuda_injected(const char *function) { return fakeEnter(function); }

static double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

void State::perform(const Work &w) {
  if (lost) return;
  if (int status = injected(w.name.c_str())) {
    lost = status;
    return;
  }
  w.run();
}

// A graph's nodes run in a random order that its dependencies allow.
void State::perform(const Graph &g) {
  std::vector<bool> done(g.nodes.size());
  for (size_t left = g.nodes.size(); left > 0; left--) {
    std::vector<size_t> ready;
    for (size_t i = 0; i < g.nodes.size(); i++) {
      bool ok = !done[i];
      for (int a : g.nodes[i].after) ok = ok && done[size_t(a)];
      if (ok) ready.push_back(i);
    }
    size_t i = ready[random() % ready.size()];
    perform(g.nodes[i].work);
    done[i] = true;
  }
}

int State::run(const std::function<bool()> &done) {
  while (!done()) {
    std::vector<CUstream> ready;
    for (CUstream s : streams)
      if (!s->queue.empty() && (!s->queue.front().wait || s->queue.front().wait->reached)) ready.push_back(s);
    if (ready.empty()) return fakeRefuse(LAUNCH_FAILED, "fake", "streams wait for each other");
    CUstream s = ready[random() % ready.size()];
    Item item = s->queue.front();
    s->queue.pop_front();
    if (item.work.run) perform(item.work);
    if (item.record) item.record->reached = true, item.record->at = now();
  }
  return lost;
}

bool capturing() {
  bool any = false;
  for (CUstream s : state().streams)
    if (s->capture && (s->capture->global || s->capture->by == std::this_thread::get_id())) s->capture->broken = any = true;
  return any;
}
