#include "ops/global-norm/global-norm-cpu.h"

#include <cmath>
#include <cstring>

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

// As many doubles as fill a vector, and as many floats.
constexpr int kWideLanes = kLanes / 2;
typedef double WideVec __attribute__((vector_size(kWideLanes * sizeof(double))));
typedef float NarrowVec __attribute__((vector_size(kWideLanes * sizeof(float))));

double sumSquares(const Range& range) {
  WideVec chains[4] = {};  // hide the latency of an addition
  const auto add = [&](WideVec& chain, const float* from) {
    NarrowVec narrow;
    std::memcpy(&narrow, from, sizeof narrow);
    const WideVec wide = __builtin_convertvector(narrow, WideVec);
    chain += wide * wide;
  };
  int64_t at = 0;
  for (; at + 4 * kWideLanes <= range.count; at += 4 * kWideLanes)
    for (int chain = 0; chain < 4; chain++) add(chains[chain], range.data + at + chain * kWideLanes);
  for (; at + kWideLanes <= range.count; at += kWideLanes) add(chains[0], range.data + at);
  double total = 0;
  for (; at < range.count; at++) total += double{range.data[at]} * double{range.data[at]};
  const WideVec lanes = (chains[0] + chains[1]) + (chains[2] + chains[3]);
  for (int lane = 0; lane < kWideLanes; lane++) total += lanes[lane];
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
