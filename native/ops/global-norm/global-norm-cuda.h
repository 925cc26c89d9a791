#pragma once
#include <vector>

#include "runtime/tensor.h"

namespace crossmap::cuda {

class Stream;

void globalNorm(Stream& stream, const std::vector<Tensor>& tensors, const Tensor& norm);

void clipScale(Stream& stream, const Tensor& norm, double maxNorm, const Tensor& scale);

}  // namespace crossmap::cuda
