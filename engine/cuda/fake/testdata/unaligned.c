// A kernel that writes words at an address that is no multiple of their size; argv[1] is
// how many bytes it is off.
#include "check.h"

static const char *ptx = ".version 6.4\n.target sm_70\n.visible .entry fill(\n.param .align 8 .b8 p[16]\n)\n.maxntid 256, 1, 1\n{\n}\n";

int main(int argc, char **argv) {
  struct {
    Pointer y;
    uint32_t n, bits;
  } args = {0, 8, 7};
  size_t bytes = sizeof args;
  void *module, *fill, *extra[] = {(void *)1, &args, (void *)2, &bytes, NULL};
  Stream s;
  begin();
  OK(cuMemAlloc_v2(&args.y, 64));
  args.y += argc > 1 ? (Pointer)atoi(argv[1]) : 0;
  OK(cuStreamCreate(&s, NON_BLOCKING));
  OK(cuModuleLoadDataEx(&module, ptx, 0, NULL, NULL));
  OK(cuModuleGetFunction(&fill, module, "fill"));
  OK(cuLaunchKernel(fill, 1, 1, 1, 32, 1, 1, 0, s, NULL, extra));
  OK(cuStreamSynchronize(s));
  return failures != 0;
}
