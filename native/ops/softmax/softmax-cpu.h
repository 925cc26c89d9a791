#pragma once
#include "ops/softmax/softmax.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void softmax(SoftmaxForm form, const Tensor& x, const SoftmaxForward& out);

template <Isa isa>
void softmaxBackward(SoftmaxForm form, const Tensor& dy, const Tensor& x, const Tensor& statistics,
                     const Tensor& dx);

}  // namespace crossmap::cpu
