#pragma once
#include "runtime/tensor.h"

namespace crossmap::cuda {

class Stream;

void cast(Stream& stream, const Tensor& x, const Tensor& out);

}  // namespace crossmap::cuda
