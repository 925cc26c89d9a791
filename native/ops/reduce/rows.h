#pragma once
#include "ops/reduce/reduce.h"

namespace crossmap {

struct ReducedRows {
  int64_t rows, features;
};

// x as a matrix whose rows are reduced; Axis::all makes it one row.
inline ReducedRows reducedRows(const Tensor& x, Axis axis) {
  if (axis == Axis::all) return {1, x.elements()};
  const int64_t features = x.size(x.rank() - 1);
  int64_t rows = 1;
  for (int each = 0; each + 1 < x.rank(); each++) rows *= x.size(each);
  return {rows, features};
}

}  // namespace crossmap
