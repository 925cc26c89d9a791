#include "ops/pool/pool.h"

#include "ops/pool/pool-cpu.h"
#include "ops/pool/pool-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

PoolForward pool(const Tensor& hidden, const Tensor& starts, const Tensor& ends, Pooling pooling,
                 bool normalize) {
  Expect("pool")
      .rank("hidden", hidden, 2)
      .floating("hidden", hidden)
      .rank("starts", starts, 1)
      .dtype("starts", starts, DType::int32)
      .sameDevice("starts", starts, "hidden", hidden)
      .sameShape("ends", ends, "starts", starts)
      .dtype("ends", ends, DType::int32)
      .sameDevice("ends", ends, "hidden", hidden);
  const int64_t pairs = starts.size(0);
  const PoolForward out{empty({pairs, hidden.size(1)}, DType::float32, hidden.device()),
                        empty({normalize ? pairs : 0}, DType::float32, hidden.device())};
  onDevice(
      hidden.device(), [&]<cpu::Isa isa>() { cpu::pool<isa>(hidden, starts, ends, pooling, out); },
      [&](auto& stream) { cuda::pool(stream, hidden, starts, ends, pooling, out); });
  return out;
}

Tensor poolBackward(const Tensor& dPooled, const Tensor& pooled, const Tensor& inverseNorms,
                    const Tensor& starts, const Tensor& ends, Pooling pooling, int64_t tokens, DType dtype) {
  Expect("poolBackward")
      .sameShape("dPooled", dPooled, "pooled", pooled)
      .sameDType("dPooled", dPooled, "pooled", pooled);
  const Tensor dHidden = empty({tokens, pooled.size(1)}, dtype, pooled.device());
  onDevice(
      pooled.device(),
      [&]<cpu::Isa isa>() {
        cpu::poolBackward<isa>(dPooled, pooled, inverseNorms, starts, ends, pooling, dHidden);
      },
      [&](auto& stream) {
        cuda::poolBackward(stream, dPooled, pooled, inverseNorms, starts, ends, pooling, dHidden);
      });
  return dHidden;
}

}  // namespace crossmap
