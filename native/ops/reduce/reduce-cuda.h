#pragma once
#include "ops/reduce/reduce.h"

namespace crossmap::cuda {

class Stream;

void reduce(Stream& stream, Reduction op, const Tensor& x, Axis axis, const Tensor& y);

void reduceBackward(Stream& stream, Reduction op, const Tensor& dy, Axis axis, const Tensor& dx);

void reduceMax(Stream& stream, const Tensor& x, Axis axis, const MaxForward& out);

void reduceMaxBackward(Stream& stream, const Tensor& dy, const Tensor& indices, Axis axis, const Tensor& dx);

}  // namespace crossmap::cuda
