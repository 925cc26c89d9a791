#pragma once
#include "runtime/tensor.h"

namespace crossmap::cuda {

class Stream;

void rotary(Stream& stream, const Tensor& x, const Tensor& positions, const Tensor& frequencies, double scale,
            const Tensor& y);

void rotaryBackward(Stream& stream, const Tensor& dy, const Tensor& positions, const Tensor& frequencies,
                    double scale, const Tensor& dx);

}  // namespace crossmap::cuda
