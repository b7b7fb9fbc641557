// libcuda.so.1: streams, events, graphs.
#include "state.hpp"

typedef struct CUevent_st *CUevent;
typedef struct Graph *CUgraph;
typedef const struct Graph *CUgraphExec;

static std::set<const Graph *> graphs, execs;

// STREAM begins a function on a stream, EVENT goes on with one on an event.
#define STREAM(name, s)                                                                          \
  CALL(name);                                                                                    \
  if (!S.streams.count(s)) return fakeRefuse(INVALID_HANDLE, #name, "no such stream")
#define EVENT(name, e) \
  if (!state().events.count(e)) return fakeRefuse(INVALID_HANDLE, #name, "no such event")

// A recording in which something forbidden was called is void.
static int spoil(CUstream s, const char *name) {
  s->capture->broken = true;
  return fakeRefuse(CAPTURE_UNSUPPORTED, name, "the stream records");
}

API CUresult cuStreamCreate(CUstream *s, unsigned flags) {
  CALL(cuStreamCreate);
  if (flags > 1) return INVALID_VALUE;
  S.streams.insert(*s = new CUstream_st);
  return SUCCESS;
}

API CUresult cuStreamDestroy_v2(CUstream s) {
  STREAM(cuStreamDestroy_v2, s);
  int status = S.run([&] { return s->queue.empty(); });
  S.streams.erase(s);
  delete s;
  return status;
}

API CUresult cuStreamSynchronize(CUstream s) {
  STREAM(cuStreamSynchronize, s);
  if (s->capture) return spoil(s, "cuStreamSynchronize");
  return S.run([&] { return s->queue.empty(); });
}

API CUresult cuStreamWaitEvent(CUstream s, CUevent e, unsigned flags) {
  STREAM(cuStreamWaitEvent, s);
  EVENT(cuStreamWaitEvent, e);
  if (flags) return INVALID_VALUE;
  if (e->capture) { // the stream joins the recording
    if (s->capture && s->capture != e->capture) return spoil(s, "cuStreamWaitEvent");
    if (!s->capture) s->capture = e->capture, s->tail.clear(), e->capture->joined.insert(s);
    s->tail.insert(e->tail.begin(), e->tail.end());
    return SUCCESS;
  }
  if (s->capture) return spoil(s, "cuStreamWaitEvent, for an event outside of the recording");
  if (e->mark) s->queue.push_back(Item{{}, nullptr, e->mark});
  return SUCCESS;
}

API CUresult cuStreamBeginCapture_v2(CUstream s, int mode) {
  STREAM(cuStreamBeginCapture_v2, s);
  if (mode < 0 || mode > 2 || s->capture) return INVALID_VALUE;
  s->capture = std::make_shared<Capture>();
  s->capture->joined.insert(s);
  s->capture->global = mode == 0;
  s->capture->by = std::this_thread::get_id();
  s->tail.clear();
  s->origin = true;
  return SUCCESS;
}

// reaches collects the nodes that a set comes after.
static void reaches(const Graph &g, const std::set<int> &from, std::set<int> *all) {
  for (int i : from)
    if (all->insert(i).second) reaches(g, g.nodes[size_t(i)].after, all);
}

// Where it fails, the recording has ended all the same.
API CUresult cuStreamEndCapture(CUstream s, CUgraph *g) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  State &S = state();
  if (!S.streams.count(s)) return fakeRefuse(INVALID_HANDLE, "cuStreamEndCapture", "no such stream");
  int injected = fakeEnter("cuStreamEndCapture");
  if (!s->capture || !s->origin) return CAPTURE_UNMATCHED;
  if (s->capture->by != std::this_thread::get_id()) return fakeRefuse(CAPTURE_WRONG_THREAD, "cuStreamEndCapture", "begun by another thread");
  auto c = s->capture;
  std::set<int> all;
  reaches(c->graph, s->tail, &all);
  for (CUstream j : c->joined) j->capture.reset(), j->tail.clear(), j->origin = false;
  for (CUevent e : S.events)
    if (e->capture == c) e->capture.reset();
  if (injected) return injected;
  if (c->broken) return CAPTURE_INVALIDATED;
  if (all.size() != c->graph.nodes.size()) return CAPTURE_UNJOINED;
  graphs.insert(*g = new Graph(c->graph));
  return SUCCESS;
}

API CUresult cuGraphInstantiateWithFlags(CUgraphExec *x, CUgraph g, unsigned long long flags) {
  CALL(cuGraphInstantiateWithFlags);
  if (flags || !graphs.count(g)) return INVALID_VALUE;
  execs.insert(*x = new Graph(*g));
  return SUCCESS;
}

API CUresult cuGraphLaunch(CUgraphExec x, CUstream s) {
  STREAM(cuGraphLaunch, s);
  if (!execs.count(x)) return fakeRefuse(INVALID_HANDLE, "cuGraphLaunch", "no such graph");
  if (s->capture) return spoil(s, "cuGraphLaunch");
  auto g = std::make_shared<Graph>(*x);
  s->queue.push_back(Item{{"graph", [g] { state().perform(*g); }}, nullptr, nullptr});
  return SUCCESS;
}

API CUresult cuGraphExecDestroy(CUgraphExec x) {
  CALL(cuGraphExecDestroy);
  if (!execs.erase(x)) return INVALID_HANDLE;
  delete x;
  return SUCCESS;
}

API CUresult cuGraphDestroy(CUgraph g) {
  CALL(cuGraphDestroy);
  if (!graphs.erase(g)) return INVALID_HANDLE;
  delete g;
  return SUCCESS;
}

API CUresult cuEventCreate(CUevent *e, unsigned flags) {
  CALL(cuEventCreate);
  *e = new CUevent_st;
  (*e)->timing = !(flags & 2);
  S.events.insert(*e);
  return SUCCESS;
}

API CUresult cuEventDestroy_v2(CUevent e) {
  CALL(cuEventDestroy_v2);
  EVENT(cuEventDestroy_v2, e);
  S.events.erase(e);
  delete e;
  return SUCCESS;
}

API CUresult cuEventRecord(CUevent e, CUstream s) {
  STREAM(cuEventRecord, s);
  EVENT(cuEventRecord, e);
  if (s->capture) {
    e->capture = s->capture, e->tail = s->tail, e->mark.reset();
    return SUCCESS;
  }
  e->capture.reset();
  e->mark = std::make_shared<Mark>();
  s->queue.push_back(Item{{}, e->mark, nullptr});
  return SUCCESS;
}

API CUresult cuEventSynchronize(CUevent e) {
  CALL(cuEventSynchronize);
  EVENT(cuEventSynchronize, e);
  if (e->capture) return e->capture->broken = true, CAPTURE_UNSUPPORTED;
  auto mark = e->mark;
  return mark ? S.run([&] { return mark->reached; }) : SUCCESS;
}

API CUresult cuEventElapsedTime(float *ms, CUevent from, CUevent to) {
  CALL(cuEventElapsedTime);
  EVENT(cuEventElapsedTime, from);
  EVENT(cuEventElapsedTime, to);
  if (!from->timing || !to->timing || !from->mark || !to->mark) return fakeRefuse(INVALID_HANDLE, "cuEventElapsedTime", "an event that takes no time");
  if (!from->mark->reached || !to->mark->reached) return NOT_READY;
  *ms = float(1e3 * (to->mark->at - from->mark->at));
  return SUCCESS;
}
