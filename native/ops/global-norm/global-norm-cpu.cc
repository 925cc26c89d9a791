#include "ops/global-norm/global-norm-cpu.h"

#include <cmath>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

// A range of a tensor: the ranges of all tensors are one list, so that small tensors do not make the threads
// wait.
struct Range {
  const float* data;
  int64_t count;
};

std::vector<Range> rangesOf(const std::vector<Tensor>& tensors) {
  std::vector<Range> ranges;
  for (const Tensor& tensor : tensors)
    for (int64_t begin = 0; begin < tensor.elements(); begin += kGrain)
      ranges.push_back({tensor.data<float>() + begin, std::min(kGrain, tensor.elements() - begin)});
  return ranges;
}

double sumSquares(const Range& range) {
  typedef double DoubleVec __attribute__((vector_size(kLanes * sizeof(double))));
  DoubleVec lanes{};
  const auto add = [&](Vec vec) {
    const DoubleVec wide = __builtin_convertvector(vec, DoubleVec);
    lanes += wide * wide;
  };
  int64_t at = 0;
  for (; at + kLanes <= range.count; at += kLanes) add(load(range.data + at));
  if (at < range.count) add(loadPartial(range.data + at, range.count - at));
  double total = 0;
  for (int lane = 0; lane < kLanes; lane++) total += lanes[lane];
  return total;
}

}  // namespace

template <Isa isa>
void globalNorm(const std::vector<Tensor>& tensors, const Tensor& norm) {
  enqueue(norm.device(), "globalNorm",
          [ranges = rangesOf(tensors), to = norm.data<float>()](Context& context) {
            std::vector<double> partial(ranges.size());
            context.pool.parallelFor(static_cast<int64_t>(ranges.size()), 1, [&](int64_t begin, int64_t end) {
              for (auto index = static_cast<size_t>(begin); index < static_cast<size_t>(end); index++)
                partial[index] = sumSquares(ranges[index]);
            });
            double total = 0;
            for (const double each : partial) total += each;
            *to = static_cast<float>(std::sqrt(total));
          });
}

template <Isa isa>
void clipScale(const Tensor& norm, double maxNorm, const Tensor& scale) {
  enqueue(norm.device(), "clipScale",
          [maxNorm, norm = norm.data<float>(), scale = scale.data<float>()](Context&) {
            *scale = std::isfinite(*norm) ? static_cast<float>(std::min(1.0, maxNorm / *norm))
                                          : std::numeric_limits<float>::quiet_NaN();
          });
}

template void globalNorm<kIsa>(const std::vector<Tensor>&, const Tensor&);
template void clipScale<kIsa>(const Tensor&, double, const Tensor&);

}  // namespace crossmap::cpu
