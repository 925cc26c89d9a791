#include "ops/embedding/embedding.h"

#include <string>

#include "ops/embedding/embedding-cpu.h"
#include "ops/embedding/embedding-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

Tensor embedding(const Tensor& table, const Tensor& tokens) {
  Expect("embedding")
      .rank("table", table, 2)
      .floating("table", table)
      .rank("tokens", tokens, 1)
      .dtype("tokens", tokens, DType::int32)
      .sameDevice("tokens", tokens, "table", table);
  const Tensor y = empty({tokens.size(0), table.size(1)}, table.dtype(), table.device());
  onDevice(
      table.device(), [&]<cpu::Isa isa>() { cpu::embedding<isa>(table, tokens, y); },
      [&](auto& stream) { cuda::embedding(stream, table, tokens, y); });
  return y;
}

Tensor embeddingBackward(const Tensor& dy, const Tensor& tokens, int64_t vocab) {
  Expect("embeddingBackward")
      .rank("dy", dy, 2)
      .floating("dy", dy)
      .shape("tokens", tokens, {dy.size(0)}, "dy", dy)
      .dtype("tokens", tokens, DType::int32)
      .sameDevice("tokens", tokens, "dy", dy)
      .that(vocab >= 0, ErrorCode::argument, "vocab", "0 or more", std::to_string(vocab));
  const Tensor dTable = empty({vocab, dy.size(1)}, DType::float32, dy.device());
  onDevice(
      dy.device(), [&]<cpu::Isa isa>() { cpu::embeddingBackward<isa>(dy, tokens, dTable); },
      [&](auto& stream) { cuda::embeddingBackward(stream, dy, tokens, dTable); });
  return dTable;
}

}  // namespace crossmap
