#pragma once
#include "ops/elementwise/elementwise.h"

namespace crossmap::cuda {

class Stream;

void unary(Stream& stream, Unary op, const Tensor& x, const UnaryOptions& options, const Tensor& y);

void unaryBackward(Stream& stream, Unary op, const Tensor& dy, const Tensor& x, const UnaryOptions& options,
                   const Tensor& dx);

void binary(Stream& stream, Binary op, const Tensor& a, const Tensor& b, const Tensor& y);

void binaryBackward(Stream& stream, Binary op, const Tensor& dy, const Tensor& a, const Tensor& b,
                    const BinaryGradients& out);

void accumulate(Stream& stream, const Tensor& into, const Tensor& from);

void fill(Stream& stream, const Tensor& out, double value);

}  // namespace crossmap::cuda
