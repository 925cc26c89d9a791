#pragma once
#include <vector>

#include "runtime/tensor.h"

namespace crossmap {

// sqrt(sum of x^2 over all elements of all tensors): [] float32, infinity beyond 3.4e38. Squares and sums are
// double, which holds those of all float32 without overflow, in an order that the sizes fix. At least one
// tensor, each float32 of any shape. NaN and infinity propagate.
Tensor globalNorm(const std::vector<Tensor>& tensors);

// min(1, maxNorm / norm): [] float32, the factor that brings a norm down to maxNorm > 0. NaN where the norm
// is not finite: no factor helps there, and adamw then leaves everything as it was. norm [] float32.
Tensor clipScale(const Tensor& norm, double maxNorm);

}  // namespace crossmap
