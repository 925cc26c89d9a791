#include "ops/random/random.h"

#include "ops/random/random-cpu.h"
#include "ops/random/random-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

Expect expectStream(const char* op, DType dtype, int64_t seed, int64_t offset) {
  Expect expect(op);
  expect
      .that(isFloat(dtype), ErrorCode::dtype, "dtype", "float32, bfloat16 or float16",
            std::string(nameOf(dtype)))
      .that(seed >= 0, ErrorCode::argument, "seed", "0 or more", std::to_string(seed))
      .that(offset >= 0, ErrorCode::argument, "offset", "0 or more", std::to_string(offset));
  return expect;
}

}  // namespace

Tensor randomUniform(const Shape& shape, DType dtype, const Device& device, const UniformOptions& options) {
  expectStream("uniform", dtype, options.seed, options.offset)
      .finite("low", static_cast<float>(options.low))
      .finite("high", static_cast<float>(options.high))
      .that(options.low <= options.high, ErrorCode::argument, "high",
            "at least low, " + numberText(options.low), numberText(options.high))
      .finite("high - low", static_cast<float>(options.high) - static_cast<float>(options.low));
  const Tensor out = empty(shape, dtype, device);
  onDevice(
      device, [&]<cpu::Isa isa>() { cpu::randomUniform<isa>(options, out); },
      [&](auto& stream) { cuda::randomUniform(stream, options, out); });
  return out;
}

Tensor randomNormal(const Shape& shape, DType dtype, const Device& device, const NormalOptions& options) {
  expectStream("normal", dtype, options.seed, options.offset)
      .finite("mean", static_cast<float>(options.mean))
      .notNegative("std", static_cast<float>(options.std));
  const Tensor out = empty(shape, dtype, device);
  onDevice(
      device, [&]<cpu::Isa isa>() { cpu::randomNormal<isa>(options, out); },
      [&](auto& stream) { cuda::randomNormal(stream, options, out); });
  return out;
}

}  // namespace crossmap
