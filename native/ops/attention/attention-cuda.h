#pragma once
#include "ops/attention/attention.h"

namespace crossmap::cuda {

class Stream;

struct AttentionInputs {
  const Tensor &q, &k, &v, &segmentStarts;
  const AttentionOptions& options;
};

void attention(Stream& stream, const AttentionInputs& inputs, const AttentionForward& results);

void attentionBackward(Stream& stream, const AttentionInputs& inputs, const Tensor& dOut,
                       const AttentionForward& forward, const AttentionBackward& results);

}  // namespace crossmap::cuda
