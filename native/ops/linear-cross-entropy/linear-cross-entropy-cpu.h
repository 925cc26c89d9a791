#pragma once
#include "ops/linear-cross-entropy/linear-cross-entropy.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void linearCrossEntropy(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                        const LinearCrossEntropyOptions& options, const LinearCrossEntropyForward& out);

// `out` is `gradient` itself or a tensor of another dtype.
template <Isa isa>
void linearCrossEntropyBackward(const Tensor& dLoss, const Tensor& gradient, const Tensor& out);

}  // namespace crossmap::cpu
