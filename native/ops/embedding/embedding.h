#pragma once
#include "runtime/tensor.h"

namespace crossmap {

// Rows of a table.
//   y[t,d] = table[tokens[t],d]
// table [vocab, features], a float dtype; tokens [tokens] int32. Returns [tokens, features], dtype of the
// table. A token id outside of the table gives a row of zeros and ERR_INDEX.
Tensor embedding(const Tensor& table, const Tensor& tokens);

// dTable[v,d] = the sum of dy[t,d] over the tokens t with id v, in the order of t
// dy [tokens, features], a float dtype. Returns [vocab, features] float32. Ids outside of the table, which
// the forward pass has reported, give nothing.
Tensor embeddingBackward(const Tensor& dy, const Tensor& tokens, int64_t vocab);

}  // namespace crossmap
