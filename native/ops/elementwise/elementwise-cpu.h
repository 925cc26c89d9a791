#pragma once
#include "ops/elementwise/elementwise.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void unary(Unary op, const Tensor& x, const UnaryOptions& options, const Tensor& y);

template <Isa isa>
void unaryBackward(Unary op, const Tensor& dy, const Tensor& x, const UnaryOptions& options,
                   const Tensor& dx);

template <Isa isa>
void binary(Binary op, const Tensor& a, const Tensor& b, const Tensor& y);

template <Isa isa>
void binaryBackward(Binary op, const Tensor& dy, const Tensor& a, const Tensor& b,
                    const BinaryGradients& out);

template <Isa isa>
void accumulate(const Tensor& into, const Tensor& from);

template <Isa isa>
void fill(const Tensor& out, double value);

}  // namespace crossmap::cpu
