#pragma once
#include "ops/swiglu/swiglu.h"

namespace crossmap::cuda {

class Stream;

void swiglu(Stream& stream, const Tensor& gate, const Tensor& up, const Tensor& y);

void swigluBackward(Stream& stream, const Tensor& dy, const Tensor& gate, const Tensor& up,
                    const SwigluGradients& out);

}  // namespace crossmap::cuda
