#pragma once
#include <vector>

#include "runtime/cpu/isa.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

template <Isa isa>
void globalNorm(const std::vector<Tensor>& tensors, const Tensor& norm);

template <Isa isa>
void clipScale(const Tensor& norm, double maxNorm, const Tensor& scale);

}  // namespace crossmap::cpu
