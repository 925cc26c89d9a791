// Bound by memory: each row is read from memory once, and again from the cache.
#include "ops/rms-norm/rms-norm-cpu.h"

#include <algorithm>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

// Rows of partial sums of dWeight: few enough that adding them up is cheap beside reading dy.
constexpr int64_t kMostPartials = 128;
constexpr int64_t kLeastTokensPerPartial = 16;

template <typename E>
struct Normalization {
  const E* weight;  // [features]
  int64_t features;
  float eps;

  // Writes the normalised row and returns its rstd.
  float row(const E* x, E* y) const {
    const double squares = sumVectors(
        features, [](Vec each) { return each * each; }, x);
    const auto meanSquare = static_cast<float>(squares / static_cast<double>(features));
    const float rstd = 1.f / std::sqrt(meanSquare + eps);
    mapVectors(
        features, [=](Vec each, Vec factor) { return each * rstd * factor; }, y, x, weight);
    return rstd;
  }
};

template <typename E>
struct Gradient {
  const E* weight;  // [features]
  int64_t features;

  // mean_d dy weight xHat
  float projection(const E* dy, const E* x, float rstd) const {
    const double products = sumVectors(
        features, [=](Vec d, Vec each, Vec factor) { return d * factor * (each * rstd); }, dy, x, weight);
    return static_cast<float>(products / static_cast<double>(features));
  }

  // dx; dSum may be null.
  void toX(const E* dy, const E* dSum, const E* x, float rstd, E* dx) const {
    const float along = projection(dy, x, rstd);
    const auto through = [=](Vec d, Vec each, Vec factor) {
      return (d * factor - each * rstd * along) * rstd;
    };
    if (!dSum) return mapVectors(features, through, dx, dy, x, weight);
    const auto withSum = [=](Vec d, Vec each, Vec factor, Vec sum) { return through(d, each, factor) + sum; };
    mapVectors(features, withSum, dx, dy, x, weight, dSum);
  }

  // Adds dy xHat.
  void toWeight(const E* dy, const E* x, float rstd, float* dWeight) const {
    mapVectors(
        features, [=](Vec sum, Vec d, Vec each) { return fma(d, each * rstd, sum); }, dWeight, dWeight, dy,
        x);
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
              context.pool.parallelFor(tokens, rowGrain(features), [&](int64_t begin, int64_t end) {
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
              context.pool.parallelFor(tokens, rowGrain(features), [&](int64_t begin, int64_t end) {
                for (int64_t t = begin; t < end; t++) {
                  const int64_t row = t * features;
                  mapVectors(
                      features, [](Vec a, Vec b) { return a + b; }, sum + row, x + row, residual + row);
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
                  if (dx) gradient.toX(dy + row, dSum ? dSum + row : nullptr, x + row, rstd[t], dx + row);
                  if (partial) gradient.toWeight(dy + row, x + row, rstd[t], partial);
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
