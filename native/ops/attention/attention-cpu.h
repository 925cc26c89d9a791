#pragma once
#include "ops/attention/attention.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

struct AttentionInputs {
  const Tensor &q, &k, &v, &segmentStarts;
  const AttentionOptions& options;
};

template <Isa isa>
void attention(const AttentionInputs& inputs, const AttentionForward& results);

template <Isa isa>
void attentionBackward(const AttentionInputs& inputs, const Tensor& dOut, const AttentionForward& forward,
                       const AttentionBackward& results);

}  // namespace crossmap::cpu
