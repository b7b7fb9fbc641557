#define _GNU_SOURCE
#include "dl.h"

#include <dlfcn.h>
#include <link.h>

void *gc_dl_open(const char *name, const char **why) {
  void *lib = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
  if (!lib) *why = dlerror();
  return lib;
}

const char *gc_dl_path(void *lib) {
  struct link_map *map = NULL;
  if (dlinfo(lib, RTLD_DI_LINKMAP, &map) != 0 || !map || !map->l_name) return "";
  return map->l_name;
}

int gc_symbol(void *lib, const char *name, void **at) {
  void *found = __atomic_load_n(at, __ATOMIC_ACQUIRE);
  if (found) return 1;
  found = lib ? dlsym(lib, name) : NULL;
  if (!found) return 0;
  __atomic_store_n(at, found, __ATOMIC_RELEASE);
  return 1;
}
