#pragma once
#include "runtime/cpu/isa.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

template <Isa isa>
void cast(const Tensor& x, const Tensor& out);

}  // namespace crossmap::cpu
