#pragma once
#include "ops/rms-norm/rms-norm.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void rmsNorm(const Tensor& x, const Tensor& weight, double eps, const RmsNormForward& out);

template <Isa isa>
void rmsNormResidual(const Tensor& x, const Tensor& residual, const Tensor& weight, double eps,
                     const RmsNormResidualForward& out);

// Computes the gradients that `out` has room for.
template <Isa isa>
void rmsNormBackward(const Tensor& dy, const std::optional<Tensor>& dSum, const Tensor& x,
                     const Tensor& weight, const Tensor& rstd, const RmsNormGradients& out);

}  // namespace crossmap::cpu
