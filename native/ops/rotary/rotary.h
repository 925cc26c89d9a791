#pragma once
#include "runtime/tensor.h"

namespace crossmap {

// Rotary position embedding. Su et al. 2021, arXiv:2104.09864, in the layout of Llama in Hugging Face's
// transformers: feature d of the first half of a head turns with feature d of the second half.
//   angle[t,d] = positions[t] * frequencies[d], each and their product rounded to float32
//   y[t,h,d]        = scale * (x[t,h,d] cos angle - x[t,h,d+half] sin angle)
//   y[t,h,d + half] = scale * (x[t,h,d+half] cos angle + x[t,h,d] sin angle)
// x [tokens, heads, headDim], a float dtype, headDim even; positions [tokens] int32; frequencies
// [headDim / 2] float32; scale is YaRN's attention factor. Sines and cosines are right to a unit in the last
// place for angles up to 2^31. A position below 0 gives zeros and ERR_INDEX. Returns a tensor like x.
Tensor rotary(const Tensor& x, const Tensor& positions, const Tensor& frequencies, double scale);

// dx from dy like x: the same rotation by the opposite angle, with the same scale.
Tensor rotaryBackward(const Tensor& dy, const Tensor& positions, const Tensor& frequencies, double scale);

}  // namespace crossmap
