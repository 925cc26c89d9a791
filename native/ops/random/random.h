#pragma once
#include <cstdint>
#include <tuple>

#include "runtime/device.h"
#include "runtime/dtype.h"
#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Seeded random numbers, the same on every device: Philox 4x32-10 of Salmon et al. 2011, "Parallel random
// numbers: as easy as 1, 2, 3". Element i is made of word i % 4 of the block with
//   key = (seed low, seed high)      counter = (i / 4 low, i / 4 high, offset low, offset high)
// so it depends on seed, offset and i alone; each offset is a stream of its own. Both are 0 to 2^53.

struct UniformOptions {
  int64_t seed = 0;
  int64_t offset = 0;
  double low = 0;
  double high = 1;

  static constexpr auto fields() {
    return std::tuple(field("seed", &UniformOptions::seed), field("offset", &UniformOptions::offset),
                      field("low", &UniformOptions::low), field("high", &UniformOptions::high));
  }
};

// low + u * (high - low) with u = (word >> 8) * 2^-24: low and the difference are float32, the sum is rounded
// once to float32 and then to the dtype, which may give `high` itself. low <= high.
Tensor randomUniform(const Shape& shape, DType dtype, const Device& device, const UniformOptions& options);

struct NormalOptions {
  int64_t seed = 0;
  int64_t offset = 0;
  double mean = 0;
  double std = 1;

  static constexpr auto fields() {
    return std::tuple(field("seed", &NormalOptions::seed), field("offset", &NormalOptions::offset),
                      field("mean", &NormalOptions::mean), field("std", &NormalOptions::std));
  }
};

// mean + std * z where z is the standard normal quantile of (word + 1/2) * 2^-32, rounded to float32: Wichura
// 1988, algorithm AS 241 (PPND16). |z| <= 6.33. mean and std are float32, the sum is rounded once to float32
// and then to the dtype. std >= 0.
Tensor randomNormal(const Shape& shape, DType dtype, const Device& device, const NormalOptions& options);

}  // namespace crossmap
