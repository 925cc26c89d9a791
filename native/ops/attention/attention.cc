#include "ops/attention/attention.h"

#include "ops/attention/attention-cpu.h"
#include "ops/attention/attention-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

constexpr int64_t kLargestHeadDim = 256;

void expectOptions(Expect& expect, const Tensor& q, int64_t segments, const AttentionOptions& options) {
  if (options.window)
    expect.that(*options.window >= 1, ErrorCode::argument, "window", "at least 1: the query's own position",
                std::to_string(*options.window));
  if (options.scale) expect.positive("scale", *options.scale);
  if (options.softcap) expect.positive("softcap", *options.softcap);
  if (const auto& starts = options.keyStarts)
    expect.dtype("keyStarts", *starts, DType::int32).sameDevice("keyStarts", *starts, "q", q);
  if (const auto& prefixes = options.prefixLengths)
    expect.dtype("prefixLengths", *prefixes, DType::int32)
        .shape("prefixLengths", *prefixes, {segments})
        .sameDevice("prefixLengths", *prefixes, "q", q);
  if (const auto& sinks = options.sinks)
    expect.dtype("sinks", *sinks, DType::float32)
        .shape("sinks", *sinks, {q.size(1)}, "q", q)
        .sameDevice("sinks", *sinks, "q", q);
}

void expectInputs(Expect& expect, const Tensor& q, const Tensor& k, const Tensor& v,
                  const Tensor& segmentStarts, const AttentionOptions& options) {
  expect.rank("q", q, 3)
      .floating("q", q)
      .rank("k", k, 3)
      .sameDType("k", k, "q", q)
      .sameDevice("k", k, "q", q)
      .sameShape("v", v, "k", k)
      .sameDType("v", v, "q", q)
      .sameDevice("v", v, "q", q);
  const int64_t headDim = q.size(2);
  expect
      .that(headDim >= 2 && headDim <= kLargestHeadDim && headDim % 2 == 0, ErrorCode::shape, "headDim of q",
            "even, from 2 to " + std::to_string(kLargestHeadDim), std::to_string(headDim))
      .that(k.size(1) > 0 && q.size(1) > 0 && q.size(1) % k.size(1) == 0, ErrorCode::shape, "heads of q",
            "a multiple of the heads of k, " + std::to_string(k.size(1)), std::to_string(q.size(1)))
      .shape("k", k, {k.size(0), k.size(1), headDim}, "q", q)
      .rank("segmentStarts", segmentStarts, 1)
      .dtype("segmentStarts", segmentStarts, DType::int32)
      .that(segmentStarts.size(0) >= 1, ErrorCode::shape, "segmentStarts", "[segments + 1]",
            segmentStarts.shape().text())
      .sameDevice("segmentStarts", segmentStarts, "q", q);
  if (options.keyStarts)
    expect.sameShape("keyStarts", *options.keyStarts, "segmentStarts", segmentStarts);
  else
    expect.that(k.size(0) == q.size(0), ErrorCode::shape, "tokens of k",
                std::to_string(q.size(0)) + " to match q, unless there are keyStarts",
                std::to_string(k.size(0)));
  expectOptions(expect, q, segmentStarts.size(0) - 1, options);
}

}  // namespace

AttentionForward attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segmentStarts,
                           const AttentionOptions& options) {
  Expect expect("attention");
  expectInputs(expect, q, k, v, segmentStarts, options);
  const AttentionForward results{empty(q.shape(), q.dtype(), q.device()),
                                 empty({q.size(0), q.size(1)}, DType::float32, q.device())};
  onDevice(
      q.device(),
      [&]<cpu::Isa isa>() {
        cpu::attention<isa>({q, k, v, segmentStarts, options}, results);
      },
      [&](auto& stream) {
        cuda::attention(stream, {q, k, v, segmentStarts, options}, results);
      });
  return results;
}

AttentionBackward attentionBackward(const Tensor& dOut, const Tensor& q, const Tensor& k, const Tensor& v,
                                    const Tensor& out, const Tensor& lse, const Tensor& segmentStarts,
                                    const AttentionOptions& options) {
  Expect expect("attentionBackward");
  expectInputs(expect, q, k, v, segmentStarts, options);
  expect.sameShape("dOut", dOut, "q", q)
      .sameDType("dOut", dOut, "q", q)
      .sameDevice("dOut", dOut, "q", q)
      .sameShape("out", out, "q", q)
      .sameDType("out", out, "q", q)
      .sameDevice("out", out, "q", q)
      .shape("lse", lse, {q.size(0), q.size(1)}, "q", q)
      .dtype("lse", lse, DType::float32)
      .sameDevice("lse", lse, "q", q);
  const auto like = [](const Tensor& x) { return empty(x.shape(), x.dtype(), x.device()); };
  AttentionBackward results{like(q), like(k), like(v), std::nullopt};
  if (options.sinks) results.dSinks = like(*options.sinks);
  onDevice(
      q.device(),
      [&]<cpu::Isa isa>() {
        cpu::attentionBackward<isa>({q, k, v, segmentStarts, options}, dOut, {out, lse}, results);
      },
      [&](auto& stream) {
        cuda::attentionBackward(stream, {q, k, v, segmentStarts, options}, dOut, {out, lse}, results);
      });
  return results;
}

}  // namespace crossmap
