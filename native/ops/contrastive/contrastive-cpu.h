#pragma once
#include "ops/contrastive/contrastive.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void contrastive(const Tensor& x, const Tensor& y, const ContrastiveOptions& options,
                 const ContrastiveForward& out);

// `forward` with the gradient of the loss in place of the loss.
template <Isa isa>
void contrastiveBackward(const ContrastiveForward& forward, const Tensor& x, const Tensor& y,
                         const ContrastiveOptions& options, const ContrastiveBackward& out);

}  // namespace crossmap::cpu
