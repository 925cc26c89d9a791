#include "ops/fill/fill.h"

#include <limits>

#include "ops/fill/fill-cpu.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

template <typename E>
bool isInteger(E, double value) {
  return value == std::trunc(value) && value >= static_cast<double>(std::numeric_limits<E>::lowest()) &&
         std::abs(value) <= 0x1p53 && value <= static_cast<double>(std::numeric_limits<E>::max());
}

bool holds(DType dtype, double value) {
  if (dtype == DType::int32) return isInteger(int32_t{}, value);
  if (dtype == DType::int64) return isInteger(int64_t{}, value);
  if (dtype == DType::uint8) return isInteger(uint8_t{}, value);
  return true;
}

}  // namespace

Tensor fill(const Shape& shape, DType dtype, const Device& device, double value) {
  Expect("fill").that(holds(dtype, value), ErrorCode::argument, "value",
                      "a whole number that " + std::string(nameOf(dtype)) + " can hold", numberText(value));
  const Tensor out = empty(shape, dtype, device);
  onDevice(device, [&]<cpu::Isa isa>() { cpu::fill<isa>(out, value); });
  return out;
}

}  // namespace crossmap
