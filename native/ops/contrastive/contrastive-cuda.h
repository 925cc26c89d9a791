#pragma once
#include "ops/contrastive/contrastive.h"

namespace crossmap::cuda {

class Stream;

void contrastive(Stream& stream, const Tensor& x, const Tensor& y, const ContrastiveOptions& options,
                 const ContrastiveForward& out);

// `forward` with the gradient of the loss in place of the loss.
void contrastiveBackward(Stream& stream, const ContrastiveForward& forward, const Tensor& x, const Tensor& y,
                         const ContrastiveOptions& options, const ContrastiveBackward& out);

}  // namespace crossmap::cuda
