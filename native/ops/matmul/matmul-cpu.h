#pragma once
#include "runtime/cpu/isa.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

template <Isa isa>
void matmul(const Tensor& a, bool transposeA, const Tensor& b, bool transposeB, const Tensor& out);

}  // namespace crossmap::cpu
