#pragma once
#include "runtime/cpu/gemm-micro.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

// Micro-kernels over pairs of bfloat16, rounded once for each pair (VDPBF16PS: subnormals count as 0), or
// null where the processor does not gain by it.
template <Isa isa>
const MicroKernels* pairKernels();

}  // namespace crossmap::cpu
