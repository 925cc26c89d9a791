#pragma once
#include "ops/swiglu/swiglu.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void swiglu(const Tensor& gate, const Tensor& up, const Tensor& y);

template <Isa isa>
void swigluBackward(const Tensor& dy, const Tensor& gate, const Tensor& up, const SwigluGradients& out);

}  // namespace crossmap::cpu
