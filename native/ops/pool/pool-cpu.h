#pragma once
#include "ops/pool/pool.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void pool(const Tensor& hidden, const Tensor& starts, const Tensor& ends, Pooling pooling,
          const PoolForward& out);

template <Isa isa>
void poolBackward(const Tensor& dPooled, const Tensor& pooled, const Tensor& inverseNorms,
                  const Tensor& starts, const Tensor& ends, Pooling pooling, const Tensor& dHidden);

}  // namespace crossmap::cpu
