// Functions of the device that are instructions of their own.
#include <cmath>

#include "runtime/simt/block.h"
#include "runtime/simt/language.h"

namespace simt {

char* dynamicShared() { return currentThread().block->arena + kSharedBase; }

uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(static_cast<const char*>(pointer) - currentThread().block->arena);
}

// ex2.approx.ftz.f32: subnormal results are zero.
float exp2Fast(float x) {
  if (currentBlock) currentBlock->counts.exponentials++;
  return x < -126.0f ? 0.0f : std::exp2(x);
}

// cvt.rna.tf32.f32: to nearest, ties away from zero, which adding half a unit to the magnitude does.
uint32_t roundToTf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const bool isFinite = (bits & 0x7f800000u) != 0x7f800000u;
  return isFinite ? (bits + 0x1000u) & 0xffffe000u : bits;
}

}  // namespace simt
