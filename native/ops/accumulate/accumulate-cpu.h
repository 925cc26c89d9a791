#pragma once
#include "runtime/cpu/isa.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

template <Isa isa>
void accumulate(const Tensor& into, const Tensor& from);

}  // namespace crossmap::cpu
