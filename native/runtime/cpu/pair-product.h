#pragma once
#include <cstdint>

#include "runtime/cpu/isa.h"
#include "runtime/cpu/kernel-scope.h"

namespace crossmap::cpu {

// Products of tiles of bfloat16 that lie in cache. A word of 32 bits holds a pair that follows each other
// along the depth, the first in the lower half, so that the operands are a [m, words] and b [words, n].
struct PairProduct {
  int64_t m, n;   // multiples of kPairStep
  int64_t words;  // a multiple of kPairStep
  const float* a;
  int64_t strideA;
  const float* b;
  int64_t strideB;
  float* c;
  int64_t strideC;
  bool add;  // to what c holds
};

constexpr int64_t kPairStep = 16;

// What computes them. A thread enters before its first product and leaves after its last, where there is
// something to do.
struct PairKernel {
  void (*enter)();
  void (*leave)();
  void (*multiply)(const PairProduct&);
};

// On AMX tiles or of VDPBF16PS, or null where this process uses neither. Sums are float32, subnormals count
// as 0.
template <Isa isa>
const PairKernel* pairKernel();

namespace {

// A thread's products, from enter to leave. Internal linkage as in simd.h.
class PairProducts {
 public:
  explicit PairProducts(const PairKernel& kernel) : scope_(kernel), kernel_(kernel) {}

  void operator()(const PairProduct& product) const { kernel_.multiply(product); }

 private:
  KernelScope<PairKernel> scope_;
  const PairKernel& kernel_;
};

}  // namespace

}  // namespace crossmap::cpu
