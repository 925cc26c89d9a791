#pragma once
#include "runtime/tensor.h"

namespace crossmap::cuda {

class Stream;

void embedding(Stream& stream, const Tensor& table, const Tensor& tokens, const Tensor& y);

void embeddingBackward(Stream& stream, const Tensor& dy, const Tensor& tokens, const Tensor& dTable);

}  // namespace crossmap::cuda
