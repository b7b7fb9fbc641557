// libcuda.so.1: modules and launches. A kernel NAME is host_NAME, its build for the
// host, and exists only where the PTX that was loaded has it too.
#include "state.hpp"

#include <cstring>
#include <dlfcn.h>

typedef void (*Host)(const void *args, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared);

struct CUfunc_st {
  std::string name;
  Host host;
  size_t bytes;  // of its parameter
  unsigned threads; // at most, a block
};
typedef CUfunc_st *CUfunction;

struct CUmod_st {
  std::string ptx;
  std::map<std::string, CUfunc_st> functions;
};
typedef CUmod_st *CUmodule;

static std::set<CUmodule> modules;
static std::set<CUfunction> functions;

// target is the number in ".target sm_NN".
static int target(const std::string &ptx) {
  size_t at = ptx.find(".target sm_");
  return at == std::string::npos ? 0 : atoi(ptx.c_str() + at + 11);
}

API CUresult cuModuleLoadDataEx(CUmodule *m, const void *image, unsigned n, int *options, void **values) {
  CALL(cuModuleLoadDataEx);
  if (capturing()) return fakeRefuse(CAPTURE_UNSUPPORTED, "cuModuleLoadDataEx", "a stream records: call it before");
  char *log = nullptr;
  size_t room = 0;
  for (unsigned i = 0; i < n; i++) {
    if (options[i] == 5) log = (char *)values[i];
    if (options[i] == 6) room = size_t(values[i]);
  }
  std::string ptx((const char *)image);
  int sm = target(ptx);
  if (ptx.compare(0, 8, ".version") && ptx.find("\n.version") == std::string::npos) sm = 0;
  if (sm == 0 || sm > 10 * S.config.major + S.config.minor) {
    if (log) snprintf(log, room, "ptxas fatal: sm_%d is no target for compute capability %d.%d", sm, S.config.major, S.config.minor);
    return INVALID_PTX;
  }
  *m = new CUmod_st;
  (*m)->ptx = ptx;
  modules.insert(*m);
  return SUCCESS;
}

API CUresult cuModuleUnload(CUmodule m) {
  CALL(cuModuleUnload);
  if (!modules.erase(m)) return INVALID_HANDLE;
  for (auto &f : m->functions) functions.erase(&f.second);
  delete m;
  return SUCCESS;
}

// parameter is the size of an entry's parameter, the N of ".param .align A .b8 …[N]"; 0
// where it takes none.
static size_t parameter(const std::string &entry) {
  size_t open = entry.find('('), close = entry.find(')');
  size_t at = entry.find('[', open);
  return open == std::string::npos || at == std::string::npos || at > close ? 0 : strtoull(entry.c_str() + at + 1, nullptr, 10);
}

// limit is the most threads of a block, the N of ".maxntid N".
static unsigned limit(const std::string &entry) {
  size_t at = entry.find(".maxntid"), body = entry.find('{');
  return at == std::string::npos || at > body ? 1024 : unsigned(atoi(entry.c_str() + at + 8));
}

API CUresult cuModuleGetFunction(CUfunction *f, CUmodule m, const char *name) {
  CALL(cuModuleGetFunction);
  if (!modules.count(m)) return INVALID_HANDLE;
  size_t at = m->ptx.find(std::string(".entry ") + name + "(");
  if (at == std::string::npos) return fakeRefuse(NOT_FOUND, "cuModuleGetFunction", "the PTX has no entry %s", name);
  Host host = (Host)dlsym(RTLD_DEFAULT, (std::string("host_") + name).c_str());
  Dl_info self;
  if (!host && dladdr((void *)cuModuleGetFunction, &self)) {
    void *lib = dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    host = (Host)dlsym(lib, (std::string("host_") + name).c_str());
  }
  if (!host) return fakeRefuse(NOT_FOUND, "cuModuleGetFunction", "the PTX has the entry %s, its build for the host has not", name);
  std::string entry = m->ptx.substr(at, m->ptx.find("\n}", at) - at);
  CUfunc_st &k = m->functions[name];
  k = CUfunc_st{name, host, parameter(entry), limit(entry)};
  functions.insert(*f = &k);
  return SUCCESS;
}

struct Launch {
  Host host;
  unsigned grid[3], block[3], shared, bytes;
};

static void perform(const void *arg) {
  const Launch *l = (const Launch *)arg;
  l->host(l + 1, l->grid[0], l->grid[1], l->grid[2], l->block[0], l->block[1], l->block[2], l->shared);
}

static bool fits(const Launch &l, unsigned threads) {
  if (!l.grid[0] || !l.grid[1] || !l.grid[2] || l.grid[0] > 2147483647u || l.grid[1] > 65535 || l.grid[2] > 65535) return false;
  if (!l.block[0] || !l.block[1] || !l.block[2] || l.block[0] > 1024 || l.block[1] > 1024 || l.block[2] > 64) return false;
  return l.block[0] * l.block[1] * l.block[2] <= threads && l.shared <= 49152;
}

API CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                            CUstream s, void **params, void **extra) {
  CALL(cuLaunchKernel);
  if (!functions.count(f)) return fakeRefuse(INVALID_HANDLE, "cuLaunchKernel", "no such kernel");
  const char *name = f->name.c_str();
  if (params || !extra) return fakeRefuse(INVALID_VALUE, name, "launched without the buffer of its struct");
  const void *args = nullptr;
  size_t bytes = 0;
  for (void **e = extra; *e; e += 2) {
    if (*e == (void *)1) args = e[1];
    if (*e == (void *)2) bytes = *(size_t *)e[1];
  }
  // The real driver cannot see this one: it would read past the end.
  if (bytes != f->bytes) return fakeRefuse(INVALID_VALUE, name, "a struct of %zu bytes, the PTX has %zu", bytes, f->bytes);
  Launch l{f->host, {gx, gy, gz}, {bx, by, bz}, shared, unsigned(bytes)};
  if (!fits(l, f->threads))
    return fakeRefuse(INVALID_VALUE, name, "(%u, %u, %u) blocks of (%u, %u, %u) threads, %u bytes of shared memory", gx, gy, gz, bx, by, bz, shared);
  std::vector<char> arg(sizeof l + bytes);
  memcpy(arg.data(), &l, sizeof l);
  if (bytes) memcpy(arg.data() + sizeof l, args, bytes);
  return fakeEnqueue(s, name, perform, arg.data(), arg.size());
}
