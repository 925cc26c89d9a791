#pragma once
#include "runtime/tensor.h"

namespace crossmap {

// into += from, in the memory of `into`: the sum of gradients that meet. Same shape; dtypes may differ, the
// sum is float32 and rounded to that of `into`.
void accumulate(const Tensor& into, const Tensor& from);

}  // namespace crossmap
