#pragma once
#include "runtime/tensor.h"

namespace crossmap {

// A tensor whose elements all are `value`, rounded to the dtype; for integers it must be one of the dtype's.
Tensor fill(const Shape& shape, DType dtype, const Device& device, double value);

}  // namespace crossmap
