#pragma once
#include <optional>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Products of matrices; sums are float32, whatever the dtype.

struct MatmulOptions {
  bool transposeA = false;     // a is [k, m]
  bool transposeB = false;     // b is [n, k]
  std::optional<DType> dtype;  // of the product: that of a (default) or float32

  static constexpr auto fields() {
    return std::tuple(field("transposeA", &MatmulOptions::transposeA),
                      field("transposeB", &MatmulOptions::transposeB), field("dtype", &MatmulOptions::dtype));
  }
};

// y[i,j] = sum_l a[i,l] b[l,j]        a [m, k], b [k, n], y [m, n]
// a and b are float32, bfloat16 or float16, both the same. m, n and k may be 0; a sum over nothing is 0.
// Its gradients are products themselves: da = dy b^T, db = a^T dy.
Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options);

// y[t,o] = sum_d x[t,d] weight[o,d]   x [tokens, in], weight [out, in], y [tokens, out] in the dtype of both
Tensor linear(const Tensor& x, const Tensor& weight);

}  // namespace crossmap
