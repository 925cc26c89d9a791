#pragma once
#include "ops/pool/pool.h"

namespace crossmap::cuda {

class Stream;

void pool(Stream& stream, const Tensor& hidden, const Tensor& starts, const Tensor& ends, Pooling pooling,
          const PoolForward& out);

void poolBackward(Stream& stream, const Tensor& dPooled, const Tensor& pooled, const Tensor& inverseNorms,
                  const Tensor& starts, const Tensor& ends, Pooling pooling, const Tensor& dHidden);

}  // namespace crossmap::cuda
