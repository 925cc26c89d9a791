#include "ops/reduce/reduce-cpu.h"

#include <tuple>
#include <vector>

#include "ops/reduce/rows.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

template <typename E>
double sumOf(const E* x, int64_t count) {
  return sumVectors(
      count, [](Vec each) { return each; }, x);
}

// By ranges, which are then summed in order.
template <typename E>
double sumOfAll(ThreadPool& pool, const E* x, int64_t count) {
  std::vector<double> partial(static_cast<size_t>(ceilDiv(count, kGrain)));
  pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    partial[static_cast<size_t>(begin / kGrain)] = sumOf(x + begin, end - begin);
  });
  double total = 0;
  for (const double each : partial) total += each;
  return total;
}

struct Greatest {
  float value;
  int64_t index;  // the first place of the value
};

template <typename E>
bool hasNan(const E* x, int64_t count) {
  return sumVectors(
             count, [](Vec each) { return each != each ? broadcast(1) : Vec{}; }, x) > 0;
}

// Of count > 0 elements. A NaN is greater than all.
template <typename E>
Greatest greatestAt(const E* x, int64_t count) {
  constexpr int64_t kBlock = 256;  // only the block with the greatest is looked through one by one
  float value = greatestOf(x, std::min(kBlock, count));
  int64_t index = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t size = std::min(kBlock, count - begin);
    if (hasNan(x + begin, size)) {
      while (toFloat(x[begin]) == toFloat(x[begin])) begin++;
      return {std::numeric_limits<float>::quiet_NaN(), begin};
    }
    const float ofBlock = greatestOf(x + begin, size);
    if (ofBlock > value) std::tie(value, index) = std::pair(ofBlock, begin);
  }
  while (toFloat(x[index]) != value) index++;
  return {value, index};
}

// By ranges, whose greatest are then compared in order, so that the first of equals wins.
template <typename E>
Greatest greatestOfAll(ThreadPool& pool, const E* x, int64_t count) {
  std::vector<Greatest> partial(static_cast<size_t>(ceilDiv(count, kGrain)));
  pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    const Greatest found = greatestAt(x + begin, end - begin);
    partial[static_cast<size_t>(begin / kGrain)] = {found.value, begin + found.index};
  });
  Greatest best = partial.front();
  for (const Greatest& each : partial)
    if (best.value == best.value && !(each.value <= best.value)) best = each;
  return best;
}

}  // namespace

template <Isa isa>
void reduce(Reduction op, const Tensor& x, Axis axis, const Tensor& y) {
  const auto [rows, features] = reducedRows(x, axis);
  // The mean of no rows is that of no elements: nothing is divided.
  const double divisor = op == Reduction::mean ? static_cast<double>(features) : 1;
  onFloatDType(x.dtype(), [&, rows = rows, features = features]<typename E>(E) {
    enqueue(x.device(), nameOf(op).data(), [=, x = x.data<E>(), y = y.data<float>()](Context& context) {
      if (axis == Axis::all) {
        *y = static_cast<float>(sumOfAll(context.pool, x, features) / divisor);
        return;
      }
      context.pool.parallelFor(rows, rowGrain(features), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
          y[row] = static_cast<float>(sumOf(x + row * features, features) / divisor);
      });
    });
  });
}

template <Isa isa>
void reduceBackward(Reduction op, const Tensor& dy, Axis axis, const Tensor& dx) {
  const auto [rows, features] = reducedRows(dx, axis);
  const float divisor = op == Reduction::mean ? static_cast<float>(features) : 1;
  // All elements of a row are alike: ranges need not keep to rows.
  const int64_t rowLength = std::max<int64_t>(1, features);
  onFloatDType(dx.dtype(), [&]<typename E>(E) {
    enqueue(dx.device(), nameOf(op).data(),
            [=, dy = dy.data<float>(), dx = dx.data<E>(), count = dx.elements()](Context& context) {
              context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                while (begin < end) {
                  const int64_t row = begin / rowLength;
                  const int64_t rowEnd = std::min(end, (row + 1) * rowLength);
                  std::fill(dx + begin, dx + rowEnd, fromFloat<E>(dy[row] / divisor));
                  begin = rowEnd;
                }
              });
            });
  });
}

template <Isa isa>
void reduceMax(const Tensor& x, Axis axis, const MaxForward& out) {
  const auto [rows, features] = reducedRows(x, axis);
  onFloatDType(x.dtype(), [&, rows = rows, features = features]<typename E>(E) {
    enqueue(
        x.device(), "max",
        [=, x = x.data<E>(), y = out.y.data<E>(), indices = out.indices.data<int64_t>()](Context& context) {
          const auto put = [&](int64_t row, Greatest found) {
            y[row] = fromFloat<E>(found.value);
            indices[row] = found.index;
          };
          if (axis == Axis::all) return put(0, greatestOfAll(context.pool, x, features));
          context.pool.parallelFor(rows, rowGrain(features), [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; row++) put(row, greatestAt(x + row * features, features));
          });
        });
  });
}

template <Isa isa>
void reduceMaxBackward(const Tensor& dy, const Tensor& indices, Axis axis, const Tensor& dx) {
  const auto [rows, features] = reducedRows(dx, axis);
  onFloatDType(dx.dtype(), [&, rows = rows, features = features]<typename E>(E) {
    enqueue(dx.device(), "max",
            [=, dy = dy.data<E>(), indices = indices.data<int64_t>(), dx = dx.data<E>(),
             count = dx.elements()](Context& context) {
              context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                std::fill(dx + begin, dx + end, fromFloat<E>(0));
              });
              // An index of no element has no gradient, as on the GPU.
              for (int64_t row = 0; row < rows; row++)
                if (indices[row] >= 0 && indices[row] < features) dx[row * features + indices[row]] = dy[row];
            });
  });
}

template void reduce<kIsa>(Reduction, const Tensor&, Axis, const Tensor&);
template void reduceBackward<kIsa>(Reduction, const Tensor&, Axis, const Tensor&);
template void reduceMax<kIsa>(const Tensor&, Axis, const MaxForward&);
template void reduceMaxBackward<kIsa>(const Tensor&, const Tensor&, Axis, const Tensor&);

}  // namespace crossmap::cpu
