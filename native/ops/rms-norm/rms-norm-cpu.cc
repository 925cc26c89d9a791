// Bound by memory: each row is read from memory once, and again from the cache.
#include "ops/rms-norm/rms-norm-cpu.h"

#include <algorithm>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/simd.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

// Elements of a range: enough to hide the cost of handing it to a thread.
constexpr int64_t kGrain = 1 << 14;

// Partial sums of dWeight: at most so many rows of them, so that adding them up stays cheap beside reading
// dy.
constexpr int64_t kMostPartials = 128;
constexpr int64_t kLeastTokensPerPartial = 16;

// Vectors that are summed side by side: one alone would wait for the addition before it.
constexpr int kWays = 4;

int64_t tokensPerRange(int64_t features) { return std::max<int64_t>(1, kGrain / features); }

template <typename E>
float sumOfSquares(const E* x, int64_t features) {
  Vec sums[kWays] = {};
  int64_t d = 0;
  for (; d + kWays * kLanes <= features; d += kWays * kLanes)
    for (int way = 0; way < kWays; way++) {
      const Vec each = load(x + d + way * kLanes);
      sums[way] = fma(each, each, sums[way]);
    }
  for (; d < features; d += kLanes) {
    const Vec each = loadWithin(x, d, features);
    sums[0] = fma(each, each, sums[0]);
  }
  return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <typename E>
struct Normalization {
  const E* weight;  // [features]
  int64_t features;
  float eps;

  // Writes the normalised row and returns its rstd.
  float row(const E* x, E* y) const {
    const float meanSquare = sumOfSquares(x, features) / static_cast<float>(features);
    const float rstd = 1.f / std::sqrt(meanSquare + eps);
    for (int64_t d = 0; d < features; d += kLanes)
      storeWithin(y, d, features, loadWithin(x, d, features) * rstd * loadWithin(weight, d, features));
    return rstd;
  }
};

template <typename E>
void addRow(const E* x, const E* residual, E* sum, int64_t features) {
  for (int64_t d = 0; d < features; d += kLanes)
    storeWithin(sum, d, features, loadWithin(x, d, features) + loadWithin(residual, d, features));
}

// The gradients of one row; pointers that are null stand for what is not there or not wanted.
template <typename E>
struct Gradient {
  const E* weight;  // [features]
  int64_t features;

  // mean_d dy weight xHat; adds dy xHat to dWeight.
  float project(const E* dy, const E* x, float rstd, float* dWeight) const {
    Vec products{};
    for (int64_t d = 0; d < features; d += kLanes) {
      const Vec dyXHat = loadWithin(dy, d, features) * (loadWithin(x, d, features) * rstd);
      if (dWeight) storeWithin(dWeight, d, features, loadWithin(dWeight, d, features) + dyXHat);
      products = fma(dyXHat, loadWithin(weight, d, features), products);
    }
    return sum(products) / static_cast<float>(features);
  }

  void row(const E* dy, const E* dSum, const E* x, float rstd, float projection, E* dx) const {
    for (int64_t d = 0; d < features; d += kLanes) {
      const Vec xHat = loadWithin(x, d, features) * rstd;
      const Vec dXHat = loadWithin(dy, d, features) * loadWithin(weight, d, features);
      const Vec through = (dXHat - xHat * projection) * rstd;
      storeWithin(dx, d, features, dSum ? through + loadWithin(dSum, d, features) : through);
    }
  }
};

// dWeight = the sum of the partial ones, in their order.
void addPartials(ThreadPool& pool, const float* partials, int64_t count, int64_t features, float* dWeight) {
  pool.parallelFor(features, std::max<int64_t>(kLanes, kGrain / std::max<int64_t>(1, count)),
                   [&](int64_t begin, int64_t end) {
                     std::fill(dWeight + begin, dWeight + end, 0.f);
                     for (int64_t partial = 0; partial < count; partial++)
                       for (int64_t d = begin; d < end; d++) dWeight[d] += partials[partial * features + d];
                   });
}

}  // namespace

template <Isa isa>
void rmsNorm(const Tensor& x, const Tensor& weight, double eps, const RmsNormForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Normalization<E> normalization{weight.data<E>(), x.size(1), static_cast<float>(eps)};
    enqueue(x.device(), "rmsNorm",
            [=, tokens = x.size(0), features = x.size(1), x = x.data<E>(), y = out.y.data<E>(),
             rstd = out.rstd.data<float>()](Context& context) {
              context.pool.parallelFor(tokens, tokensPerRange(features), [&](int64_t begin, int64_t end) {
                for (int64_t t = begin; t < end; t++)
                  rstd[t] = normalization.row(x + t * features, y + t * features);
              });
            });
  });
}

template <Isa isa>
void rmsNormResidual(const Tensor& x, const Tensor& residual, const Tensor& weight, double eps,
                     const RmsNormResidualForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Normalization<E> normalization{weight.data<E>(), x.size(1), static_cast<float>(eps)};
    enqueue(x.device(), "rmsNormResidual",
            [=, tokens = x.size(0), features = x.size(1), x = x.data<E>(), residual = residual.data<E>(),
             y = out.y.data<E>(), sum = out.sum.data<E>(), rstd = out.rstd.data<float>()](Context& context) {
              context.pool.parallelFor(tokens, tokensPerRange(features), [&](int64_t begin, int64_t end) {
                for (int64_t t = begin; t < end; t++) {
                  const int64_t row = t * features;
                  addRow(x + row, residual + row, sum + row, features);
                  rstd[t] = normalization.row(sum + row, y + row);
                }
              });
            });
  });
}

template <Isa isa>
void rmsNormBackward(const Tensor& dy, const std::optional<Tensor>& dSum, const Tensor& x,
                     const Tensor& weight, const Tensor& rstd, const RmsNormGradients& out) {
  const int64_t tokens = x.size(0);
  const int64_t features = x.size(1);
  const int64_t perPartial = std::max(kLeastTokensPerPartial, ceilDiv(tokens, kMostPartials));
  const int64_t partialCount = out.dWeight ? ceilDiv(tokens, perPartial) : 0;
  const Tensor partials = empty({partialCount, features}, DType::float32, x.device());
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Gradient<E> gradient{weight.data<E>(), features};
    enqueue(x.device(), "rmsNormBackward",
            [=, dy = dy.data<E>(), dSum = dSum ? dSum->data<E>() : nullptr, x = x.data<E>(),
             rstd = rstd.data<float>(), dx = out.dx ? out.dx->data<E>() : nullptr,
             dWeight = out.dWeight ? out.dWeight->data<float>() : nullptr,
             partials = partials.data<float>()](Context& context) {
              context.pool.parallelFor(tokens, perPartial, [&](int64_t begin, int64_t end) {
                float* partial = dWeight ? partials + begin / perPartial * features : nullptr;
                if (partial) std::fill_n(partial, features, 0.f);
                for (int64_t t = begin; t < end; t++) {
                  const int64_t row = t * features;
                  const float projection = gradient.project(dy + row, x + row, rstd[t], partial);
                  if (dx)
                    gradient.row(dy + row, dSum ? dSum + row : nullptr, x + row, rstd[t], projection,
                                 dx + row);
                }
              });
              if (dWeight) addPartials(context.pool, partials, partialCount, features, dWeight);
            });
  });
}

template void rmsNorm<kIsa>(const Tensor&, const Tensor&, double, const RmsNormForward&);
template void rmsNormResidual<kIsa>(const Tensor&, const Tensor&, const Tensor&, double,
                                    const RmsNormResidualForward&);
template void rmsNormBackward<kIsa>(const Tensor&, const std::optional<Tensor>&, const Tensor&, const Tensor&,
                                    const Tensor&, const RmsNormGradients&);

}  // namespace crossmap::cpu
