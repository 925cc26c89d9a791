#pragma once
#include "ops/reduce/reduce.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void reduce(Reduction op, const Tensor& x, Axis axis, const Tensor& y);

template <Isa isa>
void reduceBackward(Reduction op, const Tensor& dy, Axis axis, const Tensor& dx);

template <Isa isa>
void reduceMax(const Tensor& x, Axis axis, const MaxForward& out);

template <Isa isa>
void reduceMaxBackward(const Tensor& dy, const Tensor& indices, Axis axis, const Tensor& dx);

}  // namespace crossmap::cpu
