#pragma once
#include <string>
#include <tuple>

#include "runtime/fields.h"

namespace crossmap::cuda {

// How an op would be computed on a device, for `crossmap info`.
struct PlanReport {
  std::string op;
  std::string shape;  // a typical one, with its dtype: `bfloat16 [8192, 2048] x [2048, 2048]`
  std::string plan;   // kernel, tiles, splits

  static constexpr auto fields() {
    return std::tuple(field("op", &PlanReport::op), field("shape", &PlanReport::shape),
                      field("plan", &PlanReport::plan));
  }
};

}  // namespace crossmap::cuda
