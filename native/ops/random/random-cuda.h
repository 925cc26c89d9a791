#pragma once
#include "ops/random/random.h"

namespace crossmap::cuda {

class Stream;

void randomUniform(Stream& stream, const UniformOptions& options, const Tensor& out);

void randomNormal(Stream& stream, const NormalOptions& options, const Tensor& out);

}  // namespace crossmap::cuda
