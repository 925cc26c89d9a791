#pragma once
#include "runtime/cpu/isa.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

template <Isa isa>
void embedding(const Tensor& table, const Tensor& tokens, const Tensor& y);

template <Isa isa>
void embeddingBackward(const Tensor& dy, const Tensor& tokens, const Tensor& dTable);

}  // namespace crossmap::cpu
