#pragma once
// A loop of multiply-adds in registers. Kernels only.
#include <cstdint>

#include "runtime/cpu/peak.h"
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {
namespace {

// Each thread's some 100 µs.
constexpr int64_t kPeakRounds = 1 << 14;

// Chains of sums that do not wait for each other: latency times rate is 16 at most, 4 cycles and 4
// instructions in each on some arm64. With the factors they leave a register free.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kPeakChains = 24;  // of 32 registers
#else
constexpr int kPeakChains = 12;  // of 16
#endif

// `multiplyAdd(a, b, sum)` gives the new sum.
template <auto multiplyAdd>
float runVectors(Vec a, Vec b) {
  Vec sums[kPeakChains];
  for (int chain = 0; chain < kPeakChains; chain++)
    sums[chain] = broadcast(static_cast<float>(chain));  // equal ones would be computed once
  for (int64_t round = 0; round < kPeakRounds; round++)
#pragma GCC unroll 24
    for (int chain = 0; chain < kPeakChains; chain++) sums[chain] = multiplyAdd(a, b, sums[chain]);
  Vec total{};
  for (int chain = 0; chain < kPeakChains; chain++) total += sums[chain];
  return sum(total);
}

// Of one such loop. `products` of each element of a vector.
constexpr double vectorFlops(int products) { return 2.0 * products * kLanes * kPeakChains * kPeakRounds; }

}  // namespace
}  // namespace crossmap::cpu
