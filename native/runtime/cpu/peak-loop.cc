#include "runtime/cpu/peak-loop.h"

namespace crossmap::cpu {

namespace {

inline Vec multiplyAdd(Vec a, Vec b, Vec sum) {
#if defined(__x86_64__) && !defined(__FMA__)
  // The product of a and b alone would be taken out of the loop.
  return sum * a + b;
#else
  return fma(a, b, sum);
#endif
}

float runSingles(float factor) { return runVectors<multiplyAdd>(broadcast(factor), broadcast(1 - factor)); }

}  // namespace

template <>
PeakLoop peakLoop<kIsa>(MultiplyAdd form) {
  if (form == MultiplyAdd::singles) return {vectorFlops(1), runSingles};
  return bfloat16PeakLoop<kIsa>(form);
}

}  // namespace crossmap::cpu
