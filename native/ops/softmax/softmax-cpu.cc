#include "ops/softmax/softmax-cpu.h"

#include <cmath>
#include <vector>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

struct Statistics {
  float greatest;
  float logSum;  // of e^(x - greatest)
};

// One row of the forward pass. `powers` [features] is working memory in the cache, here and below.
template <typename E>
Statistics forwardRow(SoftmaxForm form, const E* x, E* y, int64_t features, float* powers) {
  const float greatest = greatestOf(x, features);
  if (greatest == kMasked) {
    std::fill(y, y + features, fromFloat<E>(form == SoftmaxForm::softmax ? 0 : kMasked));
    return {kMasked, 0};
  }
  mapVectors(
      features, [=](Vec x) { return exp(x - greatest); }, powers, x);
  const double total = sumVectors(
      features, [](Vec power) { return power; }, powers);
  const auto logSum = static_cast<float>(std::log(total));
  const auto factor = static_cast<float>(1 / total);
  if (form == SoftmaxForm::softmax)
    mapVectors(
        features, [=](Vec power) { return power * factor; }, y, powers);
  else
    mapVectors(
        features, [=](Vec x) { return x - greatest - logSum; }, y, x);
  return {greatest, logSum};
}

template <typename E>
void backwardRow(SoftmaxForm form, const E* dy, const E* x, Statistics statistics, E* dx, int64_t features,
                 float* powers) {
  const auto [greatest, logSum] = statistics;
  if (greatest == kMasked) return std::fill(dx, dx + features, fromFloat<E>(0));
  mapVectors(
      features, [greatest = greatest, logSum = logSum](Vec x) { return exp(x - greatest - logSum); }, powers,
      x);
  if (form == SoftmaxForm::softmax) {
    const auto dot = static_cast<float>(sumVectors(
        features, [](Vec dy, Vec p) { return dy * p; }, dy, powers));
    mapVectors(
        features, [=](Vec dy, Vec p) { return p * (dy - dot); }, dx, dy, powers);
    return;
  }
  const auto total = static_cast<float>(sumVectors(
      features, [](Vec dy) { return dy; }, dy));
  mapVectors(
      features, [=](Vec dy, Vec p) { return dy - p * total; }, dx, dy, powers);
}

}  // namespace

template <Isa isa>
void softmax(SoftmaxForm form, const Tensor& x, const SoftmaxForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    enqueue(x.device(), nameOf(form).data(),
            [form, x = x.data<E>(), y = out.y.data<E>(), statistics = out.statistics.data<float>(),
             rows = out.statistics.size(0), features = x.size(x.rank() - 1)](Context& context) {
              context.pool.parallelFor(rows, rowGrain(features), [&](int64_t begin, int64_t end) {
                std::vector<float> powers(static_cast<size_t>(features));
                for (int64_t row = begin; row < end; row++) {
                  const int64_t at = row * features;
                  const auto [greatest, logSum] = forwardRow(form, x + at, y + at, features, powers.data());
                  statistics[2 * row] = greatest;
                  statistics[2 * row + 1] = logSum;
                }
              });
            });
  });
}

template <Isa isa>
void softmaxBackward(SoftmaxForm form, const Tensor& dy, const Tensor& x, const Tensor& statistics,
                     const Tensor& dx) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    enqueue(
        x.device(), nameOf(form).data(),
        [form, dy = dy.data<E>(), x = x.data<E>(), statistics = statistics.data<float>(), dx = dx.data<E>(),
         rows = statistics.size(0), features = x.size(x.rank() - 1)](Context& context) {
          context.pool.parallelFor(rows, rowGrain(features), [&](int64_t begin, int64_t end) {
            std::vector<float> powers(static_cast<size_t>(features));
            for (int64_t row = begin; row < end; row++) {
              const int64_t at = row * features;
              const Statistics ofRow{statistics[2 * row], statistics[2 * row + 1]};
              backwardRow(form, dy + at, x + at, ofRow, dx + at, features, powers.data());
            }
          });
        });
  });
}

template void softmax<kIsa>(SoftmaxForm, const Tensor&, const SoftmaxForward&);
template void softmaxBackward<kIsa>(SoftmaxForm, const Tensor&, const Tensor&, const Tensor&, const Tensor&);

}  // namespace crossmap::cpu
