#include "ops/global-norm/global-norm.h"

#include "ops/global-norm/global-norm-cpu.h"
#include "ops/global-norm/global-norm-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

Tensor globalNorm(const std::vector<Tensor>& tensors) {
  Expect expect("globalNorm");
  expect.that(!tensors.empty(), ErrorCode::argument, "tensors", "at least one tensor", "none");
  for (size_t index = 0; index < tensors.size(); index++) {
    const std::string name = "tensors[" + std::to_string(index) + "]";
    expect.dtype(name.c_str(), tensors[index], DType::float32)
        .sameDevice(name.c_str(), tensors[index], "tensors[0]", tensors[0]);
  }
  const Tensor norm = empty({}, DType::float32, tensors[0].device());
  onDevice(
      norm.device(), [&]<cpu::Isa isa>() { cpu::globalNorm<isa>(tensors, norm); },
      [&](auto& stream) { cuda::globalNorm(stream, tensors, norm); });
  return norm;
}

Tensor clipScale(const Tensor& norm, double maxNorm) {
  Expect("clipScale")
      .shape("norm", norm, {})
      .dtype("norm", norm, DType::float32)
      .positive("maxNorm", maxNorm);
  const Tensor scale = empty({}, DType::float32, norm.device());
  onDevice(
      norm.device(), [&]<cpu::Isa isa>() { cpu::clipScale<isa>(norm, maxNorm, scale); },
      [&](auto& stream) { cuda::clipScale(stream, norm, maxNorm, scale); });
  return scale;
}

}  // namespace crossmap
