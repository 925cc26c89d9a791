#pragma once
#include "ops/rms-norm/rms-norm.h"

namespace crossmap::cuda {

class Stream;

void rmsNorm(Stream& stream, const Tensor& x, const Tensor& weight, double eps, const RmsNormForward& out);

void rmsNormResidual(Stream& stream, const Tensor& x, const Tensor& residual, const Tensor& weight,
                     double eps, const RmsNormResidualForward& out);

// Computes the gradients that `out` has room for.
void rmsNormBackward(Stream& stream, const Tensor& dy, const std::optional<Tensor>& dSum, const Tensor& x,
                     const Tensor& weight, const Tensor& rstd, const RmsNormGradients& out);

}  // namespace crossmap::cuda
