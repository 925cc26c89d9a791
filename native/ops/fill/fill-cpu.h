#pragma once
#include "runtime/cpu/isa.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

template <Isa isa>
void fill(const Tensor& out, double value);

}  // namespace crossmap::cpu
