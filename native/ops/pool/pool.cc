#include "ops/pool/pool.h"

#include "ops/pool/pool-cpu.h"
#include "ops/pool/pool-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

void expectSpans(Expect& expect, const Tensor& starts, const Tensor& ends, const char* otherName,
                 const Tensor& other) {
  expect.rank("starts", starts, 1)
      .dtype("starts", starts, DType::int32)
      .sameDevice("starts", starts, otherName, other)
      .sameShape("ends", ends, "starts", starts)
      .dtype("ends", ends, DType::int32)
      .sameDevice("ends", ends, otherName, other);
}

}  // namespace

PoolForward pool(const Tensor& hidden, const Tensor& starts, const Tensor& ends, Pooling pooling,
                 bool normalize) {
  Expect expect("pool");
  expect.rank("hidden", hidden, 2).floating("hidden", hidden);
  expectSpans(expect, starts, ends, "hidden", hidden);
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
  Expect expect("poolBackward");
  expect.rank("pooled", pooled, 2)
      .dtype("pooled", pooled, DType::float32)
      .sameShape("dPooled", dPooled, "pooled", pooled)
      .sameDType("dPooled", dPooled, "pooled", pooled)
      .sameDevice("dPooled", dPooled, "pooled", pooled);
  expectSpans(expect, starts, ends, "pooled", pooled);
  const int64_t pairs = pooled.size(0);
  expect.shape("starts", starts, {pairs}, "pooled", pooled)
      .that(inverseNorms.shape() == Shape{pairs} || inverseNorms.shape() == Shape{0}, ErrorCode::shape,
            "inverseNorms", Shape{pairs}.text() + " to match pooled, or [0]", inverseNorms.shape().text())
      .dtype("inverseNorms", inverseNorms, DType::float32)
      .sameDevice("inverseNorms", inverseNorms, "pooled", pooled)
      .that(tokens >= 0, ErrorCode::argument, "tokens", "0 or more", std::to_string(tokens))
      .that(isFloat(dtype), ErrorCode::dtype, "dtype", "float32, bfloat16 or float16",
            std::string(nameOf(dtype)));
  const Tensor dHidden = empty({tokens, pooled.size(1)}, dtype, pooled.device());
  if (dHidden.elements() == 0) return dHidden;  // of 2^40 tokens without features there are none to visit
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
