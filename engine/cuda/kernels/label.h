// Labels of classes, as Caffe reads them: truncated to integers.
#pragma once

struct Labels {
  u64 label, flag;
  u32 classes, has_ignore;
  i32 ignore;
};

// class_of is the class of item i, −1 where it is ignored or no class; the latter
// is reported.
DEV i32 class_of(const Labels &l, u32 i) {
  float v = ((const float *)l.label)[i];
  bool number = abs32(v) < 2147483648.0f; // NaN is none
  i32 c = truncated(v, -1);
  if (number && l.has_ignore && c == l.ignore) return -1;
  if (number && c >= 0 && c < (i32)l.classes) return c;
  fail(l.flag, i, v);
  return -1;
}
