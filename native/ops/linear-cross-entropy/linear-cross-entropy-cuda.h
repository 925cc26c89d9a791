#pragma once
#include "ops/linear-cross-entropy/linear-cross-entropy.h"

namespace crossmap::cuda {

class Stream;

void linearCrossEntropy(Stream& stream, const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                        const LinearCrossEntropyOptions& options, const LinearCrossEntropyForward& out);

// `out` is `gradient` itself or a tensor of another dtype.
void linearCrossEntropyBackward(Stream& stream, const Tensor& dLoss, const Tensor& gradient,
                                const Tensor& out);

}  // namespace crossmap::cuda
