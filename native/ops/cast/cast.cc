#include "ops/cast/cast.h"

#include "ops/cast/cast-cpu.h"
#include "ops/cast/cast-cuda.h"
#include "runtime/dispatch.h"

namespace crossmap {

Tensor cast(const Tensor& x, DType dtype) {
  const Tensor out = empty(x.shape(), dtype, x.device());
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::cast<isa>(x, out); },
      [&](auto& stream) { cuda::cast(stream, x, out); });
  return out;
}

}  // namespace crossmap
