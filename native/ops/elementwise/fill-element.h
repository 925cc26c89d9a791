#pragma once
#include "runtime/dtype.h"

namespace crossmap {
namespace {

// What fills a tensor of E: `value` rounded to a float, or the same number as an integer. Kernels only.
template <typename E>
E elementOf(double value) {
  if constexpr (isFloat(dtypeOf<E>()))
    return fromFloat<E>(static_cast<float>(value));
  else
    return static_cast<E>(value);
}

}  // namespace
}  // namespace crossmap
