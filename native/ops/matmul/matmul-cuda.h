#pragma once
#include "runtime/tensor.h"

namespace crossmap::cuda {

class Stream;

void matmul(Stream& stream, const Tensor& a, bool transposeA, const Tensor& b, bool transposeB,
            const Tensor& out);

}  // namespace crossmap::cuda
