#pragma once
#include "runtime/cpu/isa.h"
#include "runtime/cpu/pair-product.h"

namespace crossmap::cpu {

// Of VDPBF16PS, or null where the processor does not gain by it.
template <Isa isa>
const PairKernel* vectorPairKernel();

}  // namespace crossmap::cpu
