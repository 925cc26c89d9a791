#pragma once
// Dot products of pairs of bfloat16. Kernels only, within the files that VDPBF16PS is enabled for.
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {
namespace {

// The products of the words' pairs, and c, in each lane. Rounded once for each pair; subnormals count as 0.
inline Vec addDots(Vec a, Vec b, Vec c) {
  return std::bit_cast<Vec>(
      _mm512_dpbf16_ps(std::bit_cast<__m512>(c), std::bit_cast<__m512bh>(a), std::bit_cast<__m512bh>(b)));
}

}  // namespace
}  // namespace crossmap::cpu
