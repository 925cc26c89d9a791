// Functions of the device that are instructions of their own.
#include <cmath>

#include "runtime/simt/block.h"
#include "runtime/simt/language.h"

namespace simt {

char* dynamicShared() { return currentThread().block->arena + kSharedBase; }

uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(static_cast<const char*>(pointer) - currentThread().block->arena);
}

namespace {

// Instructions of a lane: ex2, rsqrt, rcp.
inline void countSpecial(int instructions = 1) {
  if (currentBlock) currentBlock->counts.specialFunctions += instructions;
}

}  // namespace

// ex2.approx.ftz.f32: subnormal results are zero.
float exp2Fast(float x) {
  countSpecial();
  return x < -126.0f ? 0.0f : std::exp2(x);
}

float fmaf(float a, float b, float c) {
  if (currentBlock) currentBlock->counts.fmas++;
  return std::fma(a, b, c);
}

// Special functions are as many as nvcc 13.0 puts into the PTX of each. logf has none: it is a polynomial.
float expf(float x) {
  countSpecial();
  return std::exp(x);
}

float exp2f(float x) {
  countSpecial();
  return std::exp2(x);
}

float sqrtf(float x) {
  countSpecial();
  return std::sqrt(x);
}

float rsqrtf(float x) {
  countSpecial();
  return 1 / std::sqrt(x);
}

// A power of 2 and a reciprocal.
float tanhf(float x) {
  countSpecial(2);
  return std::tanh(x);
}

// cvt.rna.tf32.f32: to nearest, ties away from zero, which adding half a unit to the magnitude does.
uint32_t roundToTf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const bool isFinite = (bits & 0x7f800000u) != 0x7f800000u;
  return isFinite ? (bits + 0x1000u) & 0xffffe000u : bits;
}

}  // namespace simt
