#pragma once
#include "ops/softmax/softmax.h"

namespace crossmap::cuda {

class Stream;

void softmax(Stream& stream, SoftmaxForm form, const Tensor& x, const SoftmaxForward& out);

void softmaxBackward(Stream& stream, SoftmaxForm form, const Tensor& dy, const Tensor& x,
                     const Tensor& statistics, const Tensor& dx);

}  // namespace crossmap::cuda
