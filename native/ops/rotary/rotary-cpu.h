#pragma once
#include "runtime/cpu/isa.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

template <Isa isa>
void rotary(const Tensor& x, const Tensor& positions, const Tensor& frequencies, double scale,
            const Tensor& y);

template <Isa isa>
void rotaryBackward(const Tensor& dy, const Tensor& positions, const Tensor& frequencies, double scale,
                    const Tensor& dx);

}  // namespace crossmap::cpu
