#pragma once
#include "runtime/cpu/gemm-micro.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

// Micro-kernels over pairs of bfloat16 on AMX tiles, or null where this process does not use them. TDPBF16PS
// rounds to nearest even and takes subnormals for 0, whatever the thread's modes say.
template <Isa isa>
const MicroKernels* tileKernels();

}  // namespace crossmap::cpu
