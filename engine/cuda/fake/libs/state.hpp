// The state of the fake driver.
#pragma once

#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fake.h"

// The statuses that are used, by NVIDIA's numbers.
enum Status {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_CONTEXT = 201,
  INVALID_PTX = 218,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_FAILED = 719,
  CAPTURE_UNSUPPORTED = 900,
  CAPTURE_INVALIDATED = 901,
  CAPTURE_UNMATCHED = 903,
  CAPTURE_UNJOINED = 904,
  CAPTURE_WRONG_THREAD = 908,
  UNKNOWN = 999,
};

// Mark is a place in a stream that an event was recorded at.
struct Mark {
  bool reached = false;
  double at = 0; // seconds
};

struct Work {
  std::string name;
  std::function<void()> run;
};

// Graph is recorded work; a node runs after those it depends on.
struct Node {
  Work work;
  std::set<int> after;
};
struct Graph {
  std::vector<Node> nodes;
};

// Capture is a recording in progress; all streams that joined share it.
struct Capture {
  Graph graph;
  bool broken = false;
  bool global = false;  // no thread may call what is unsafe; otherwise only the other threads may
  std::thread::id by;
  std::set<CUstream> joined;
};

// Item is what lies in a stream: work, the recording of a mark, or the wait for one.
struct Item {
  Work work;
  std::shared_ptr<Mark> record, wait;
};

struct CUstream_st {
  std::deque<Item> queue;
  std::shared_ptr<Capture> capture;
  std::set<int> tail; // nodes that the next one comes after
  bool origin = false;
};

struct CUevent_st {
  std::shared_ptr<Mark> mark;
  std::shared_ptr<Capture> capture;
  std::set<int> tail;
  bool timing = false;
};

// Config is what the environment asks of the fake.
struct Config {
  int version = 12040, devices = 1, major = 8, minor = 0;
  size_t memory = size_t(4) << 30;
  uint64_t seed = 1;
  std::map<std::string, std::map<int, int>> fail; // name → number of the call → status
  Config();
};

struct State {
  std::recursive_mutex lock;
  Config config;
  bool initialised = false, retained = false;
  int lost = 0; // the status that broke the context
  std::map<std::string, int> calls;
  std::map<uintptr_t, size_t> device, host; // allocations, by address
  size_t used = 0;
  std::set<CUstream> streams;
  std::set<CUevent_st *> events;
  std::mt19937_64 random;

  // run executes queued work until done() holds.
  int run(const std::function<bool()> &done);
  // perform does one piece of work, unless the context is lost.
  void perform(const Work &w);
  void perform(const Graph &g);
};

State &state();

// CALL begins every function of the driver.
#define CALL(name)                                                  \
  std::lock_guard<std::recursive_mutex> guard(state().lock);        \
  State &S = state();                                               \
  (void)S;                                                          \
  if (int status_ = fakeEnter(#name)) return status_

// capturing reports whether a recording forbids this thread what is unsafe meanwhile; it
// is void then.
bool capturing();
