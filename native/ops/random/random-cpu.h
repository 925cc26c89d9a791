#pragma once
#include "ops/random/random.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void randomUniform(const UniformOptions& options, const Tensor& out);

template <Isa isa>
void randomNormal(const NormalOptions& options, const Tensor& out);

}  // namespace crossmap::cpu
