#include "ops/adamw/adamw-cpu.h"

#include <cmath>

#include "ops/adamw/adamw-step.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

// The memory of one parameter; where it has no master the weights are the parameter.
struct Item {
  void* parameter;
  float* master;  // null without one
  const float* gradient;
  float *firstMoment, *secondMoment;
  DType dtype;
  int64_t count;
  float keep;  // 1 - lr * weightDecay
};

// A range of an item: the ranges of all items are one list, so that small parameters do not make the threads
// wait.
struct Range {
  size_t item;
  int64_t begin, end;
};

std::vector<Item> itemsOf(const AdamwArguments& arguments) {
  std::vector<Item> items;
  for (size_t index = 0; index < arguments.parameters.size(); index++) {
    const Tensor& parameter = arguments.parameters[index];
    const bool hasMaster = parameter.dtype() != DType::float32;
    items.push_back({parameter.raw(), hasMaster ? arguments.masters[index]->data<float>() : nullptr,
                     arguments.gradients[index].data<float>(), arguments.firstMoments[index].data<float>(),
                     arguments.secondMoments[index].data<float>(), parameter.dtype(), parameter.elements(),
                     keepOf(arguments, index)});
  }
  return items;
}

std::vector<Range> rangesOf(const std::vector<Item>& items) {
  std::vector<Range> ranges;
  for (size_t item = 0; item < items.size(); item++)
    for (int64_t begin = 0; begin < items[item].count; begin += kGrain)
      ranges.push_back({item, begin, std::min(begin + kGrain, items[item].count)});
  return ranges;
}

// E is the parameter's dtype.
template <typename E>
void updateRange(const Item& item, const Range& range, const AdamwFactors& factors, float gradientScale) {
  const auto parameter = static_cast<E*>(item.parameter);
  const auto weights = item.master ? item.master : static_cast<float*>(item.parameter);
  const auto update = [&](int64_t at, auto loadFrom, auto storeTo) {
    const Vec g = loadFrom(item.gradient + at) * gradientScale;
    Vec m = loadFrom(item.firstMoment + at);
    Vec v = loadFrom(item.secondMoment + at);
    Vec w = loadFrom(weights + at);
    adamwStep(factors, item.keep, g, m, v, w, [](Vec x) { return sqrt(x); });
    storeTo(item.firstMoment + at, m);
    storeTo(item.secondMoment + at, v);
    storeTo(weights + at, w);
    if constexpr (!std::is_same_v<E, float>) storeTo(parameter + at, w);
  };
  int64_t at = range.begin;
  for (; at + kLanes <= range.end; at += kLanes)
    update(
        at, [](const float* from) { return load(from); }, [](auto* to, Vec vec) { store(to, vec); });
  const int64_t rest = range.end - at;
  if (rest > 0)
    update(
        at, [=](const float* from) { return loadPartial(from, rest); },
        [=](auto* to, Vec vec) { storePartial(to, vec, rest); });
}

}  // namespace

template <Isa isa>
void adamw(const AdamwArguments& arguments) {
  const std::vector<Item> items = itemsOf(arguments);
  const float* gradientScale = arguments.gradientScale ? arguments.gradientScale->data<float>() : nullptr;
  enqueue(arguments.parameters[0].device(), "adamw",
          [gradientScale, items, ranges = rangesOf(items), factors = factorsOf(arguments)](Context& context) {
            const float scale = gradientScale ? *gradientScale : 1;
            if (!std::isfinite(scale)) return;
            context.pool.parallelFor(static_cast<int64_t>(ranges.size()), 1, [&](int64_t begin, int64_t end) {
              for (int64_t index = begin; index < end; index++) {
                const Range& range = ranges[static_cast<size_t>(index)];
                const Item& item = items[range.item];
                onFloatDType(item.dtype, [&]<typename E>(E) { updateRange<E>(item, range, factors, scale); });
              }
            });
          });
}

template void adamw<kIsa>(const AdamwArguments&);

}  // namespace crossmap::cpu
