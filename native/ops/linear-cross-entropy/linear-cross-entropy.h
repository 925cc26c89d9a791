#pragma once
#include <optional>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Cross-entropy of a linear layer's logits, without the matrix [tokens, vocab] of them.
//   s_tv = hidden_t . weight_v        l_tv = s_tv, or softcap * tanh(s_tv / softcap)
//   lse_t = log sum_v e^l_tv          n_t = lse_t - (1 - labelSmoothing) l_t,target - labelSmoothing / vocab
//   * sum_v l_tv loss = 1 / normalizer * sum_t w_t (n_t + zLoss * lse_t^2)
// over the tokens whose target is not ignoreIndex and whose weight is not 0: the others are dropped before
// the first product. Gradients with respect to the logits:
//   dl_tv = w_t / normalizer * [(1 + 2 zLoss lse_t) e^(l_tv - lse_t) - (1 - labelSmoothing) [v = target_t]
//           - labelSmoothing / vocab],   ds_tv = dl_tv (1 - (l_tv / softcap)^2)
//   dHidden_t = sum_v ds_tv weight_v,    dWeight_v = sum_t ds_tv hidden_t
//
// Gradients are computed with the loss, chunk of tokens by chunk, while the logits of a chunk are at hand:
// three products of tokens x vocab x features in all, where a backward pass that computes the logits again
// needs four (a GPU does that too where the vocabulary is large). The gradients lie there until the backward
// pass, which multiplies them by the gradient of the loss; dWeight would be held from its beginning on
// anyway.

struct LinearCrossEntropyOptions {
  std::optional<Tensor> weights;     // [tokens] float32: w_t; all 1 without
  int64_t ignoreIndex = -1;          // a target that is no target; it may be an id of the vocabulary
  double labelSmoothing = 0;         // 0 to 1: share of the target that is spread over the vocabulary
  double zLoss = 0;                  // 0 or more: factor of lse^2
  std::optional<double> softcap;     // above 0: bound of the logits
  std::optional<double> normalizer;  // above 0; without: the sum of w_t over targets that are not ignored
  bool logProbabilities = false;
  bool wantsHidden = false;  // which gradients are computed
  bool wantsWeight = false;

  static constexpr auto fields() {
    using Options = LinearCrossEntropyOptions;
    return std::tuple(field("weights", &Options::weights), field("ignoreIndex", &Options::ignoreIndex),
                      field("labelSmoothing", &Options::labelSmoothing), field("zLoss", &Options::zLoss),
                      field("softcap", &Options::softcap), field("normalizer", &Options::normalizer),
                      field("logProbabilities", &Options::logProbabilities),
                      field("wantsHidden", &Options::wantsHidden),
                      field("wantsWeight", &Options::wantsWeight));
  }
};

struct LinearCrossEntropyForward {
  Tensor loss;  // [] float32; 0 where the normalizer is the sum of no weights
  std::optional<Tensor>
      logProbabilities;           // [tokens] float32: l_t,target - lse_t in nats; 0 for dropped tokens
  std::optional<Tensor> dHidden;  // [tokens, features] float32; 0 for dropped tokens
  std::optional<Tensor> dWeight;  // [vocab, features] float32

  static constexpr auto fields() {
    using Forward = LinearCrossEntropyForward;
    return std::tuple(field("loss", &Forward::loss), field("logProbabilities", &Forward::logProbabilities),
                      field("dHidden", &Forward::dHidden), field("dWeight", &Forward::dWeight));
  }
};

// hidden [tokens, features], weight [vocab, features]: float32, bfloat16 or float16, both the same; targets
// [tokens] int32. Logits and sums are float32, the loss is summed in float64; with bfloat16 the gradients of
// the logits are rounded to it between the products; on a GPU with float16 too, scaled by a power of two that
// keeps them in its range. A target that is neither in the vocabulary nor ignoreIndex is a fault (ERR_INDEX),
// and then all results are 0.
//
// Besides the results the CPU holds the logits of a chunk of tokens, at most 24 MiB or those of 112 tokens
// where these are more, and at most 9 MiB + 12 bytes for each token + 8 bytes for each feature of a chunk's
// tokens. A GPU holds logits and their gradients of a chunk, at most 2 MiB for each multiprocessor; where
// those of few tokens fill that, it computes the logits again in a fourth product and holds gradients of a
// group of columns alone, at most 0.5 MiB for each multiprocessor or of 128 columns. Beside them it holds the
// chunk's rows of hidden, 12 bytes for each token of a chunk and 128 columns, and 12 bytes for each token.
LinearCrossEntropyForward linearCrossEntropy(const Tensor& hidden, const Tensor& weight,
                                             const Tensor& targets, const LinearCrossEntropyOptions& options);

// gradient * dLoss [] float32, rounded to `dtype`; where that is float32, in the memory of `gradient`.
Tensor linearCrossEntropyBackward(const Tensor& dLoss, const Tensor& gradient, DType dtype);

}  // namespace crossmap
