#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Attention over packed segments. Dao 2023, arXiv:2307.08691 (tiles, online softmax, recomputation in the
// backward pass); sinks as in Agarwal et al. 2025, arXiv:2508.10925.
//
// Segment s has queries segmentStarts[s] to segmentStarts[s + 1] and keys keyStarts[s] to keyStarts[s + 1].
// Its queries stand at its last positions: query i of n, among m keys, at p = m - n + i. With g = heads /
// kvHeads, head h reads the keys and values of head h / g. For the keys j that the query sees:
//   u[j] = scale * q . k[j]      l[j] = softcap * tanh(u[j] / softcap), or u[j] without a softcap
//   lse = log(exp(sink[h]) + sum_j exp(l[j]))      out = sum_j exp(l[j] - lse) v[j]
// A query sees key j where j < prefixLength[s], or where
//   causal: p - window < j <= p                    none: p - window < j < p + window
// and without a window, only the bounds that are left. One that sees no key gives out 0, lse = sink (-inf
// without sinks) and gradients 0.
enum class AttentionMask { causal, none };

constexpr auto enumNames(AttentionMask) {
  using namespace std::string_view_literals;
  return std::array{"causal"sv, "none"sv};
}

struct AttentionOptions {
  AttentionMask mask = AttentionMask::causal;
  std::optional<int64_t> window;  // keys, at least 1: the query's own position is the first
  std::optional<double> scale;    // above 0; default 1 / sqrt(headDim)
  std::optional<double> softcap;  // above 0
  // int32 [segments + 1]; default segmentStarts
  std::optional<Tensor> keyStarts;
  // int32 [segments], each from 0 to the keys of its segment
  std::optional<Tensor> prefixLengths;
  // float32 [heads]
  std::optional<Tensor> sinks;

  static constexpr auto fields() {
    return std::tuple(field("mask", &AttentionOptions::mask), field("window", &AttentionOptions::window),
                      field("scale", &AttentionOptions::scale), field("softcap", &AttentionOptions::softcap),
                      field("keyStarts", &AttentionOptions::keyStarts),
                      field("prefixLengths", &AttentionOptions::prefixLengths),
                      field("sinks", &AttentionOptions::sinks));
  }
};

struct AttentionForward {
  Tensor out;  // [tokens, heads, headDim], dtype of q
  Tensor lse;  // [tokens, heads] float32, kept for the backward pass

  static constexpr auto fields() {
    return std::tuple(field("out", &AttentionForward::out), field("lse", &AttentionForward::lse));
  }
};

// q [tokens, heads, headDim], k and v [keyTokens, kvHeads, headDim], of one float dtype; kvHeads divides
// heads; headDim is even, at most 256. segmentStarts int32 [segments + 1] rises from 0 to tokens, keyStarts
// from 0 to keyTokens: where they do not, or a prefix is longer than its segment, the op faults with
// ERR_INDEX when it runs and gives zeros. Products, softmax and sums are float32.
AttentionForward attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segmentStarts,
                           const AttentionOptions& options);

struct AttentionBackward {
  Tensor dq;                     // [tokens, heads, headDim], dtype of q
  Tensor dk, dv;                 // [keyTokens, kvHeads, headDim], dtype of q
  std::optional<Tensor> dSinks;  // [heads] float32, where there are sinks

  static constexpr auto fields() {
    return std::tuple(field("dq", &AttentionBackward::dq), field("dk", &AttentionBackward::dk),
                      field("dv", &AttentionBackward::dv), field("dSinks", &AttentionBackward::dSinks));
  }
};

// Tensors and options of the forward pass, its results, and dOut like out. With D = dOut . out of a query:
//   dl[j] = exp(l[j] - lse) (dOut . v[j] - D)      dSinks[h] = -sum exp(sink[h] - lse) D over the queries
AttentionBackward attentionBackward(const Tensor& dOut, const Tensor& q, const Tensor& k, const Tensor& v,
                                    const Tensor& out, const Tensor& lse, const Tensor& segmentStarts,
                                    const AttentionOptions& options);

}  // namespace crossmap
