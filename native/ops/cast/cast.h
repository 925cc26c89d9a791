#pragma once
#include "runtime/tensor.h"

namespace crossmap {

// The elements of `x` in another dtype, in the shape of `x`. Float to float rounds to nearest, ties to even.
// From and to integers goes through float32: truncated towards zero, saturated, NaN gives 0.
Tensor cast(const Tensor& x, DType dtype);

}  // namespace crossmap
