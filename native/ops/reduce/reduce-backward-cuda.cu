#include "ops/reduce/reduce-cuda.h"
#include "ops/reduce/rows.h"
#include "runtime/cuda/device/row-position.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

// What the elements of a row get: of a sum or mean, all the same.
template <typename E>
struct Even {
  const float* dy;  // [rows]
  float divisor;

  using Row = E;
  __device__ Row row(int64_t row) const { return round<E>(dy[row] / divisor); }
  __device__ E element(int64_t, Row dx, int64_t) const { return dx; }
};

// Of a maximum, all the gradient at one place.
template <typename E>
struct AtIndex {
  const E* dy;             // [rows]
  const int64_t* indices;  // [rows]

  using Row = int64_t;
  __device__ Row row(int64_t row) const { return indices[row]; }
  __device__ E element(int64_t row, Row index, int64_t feature) const {
    return feature == index ? dy[row] : E{};
  }
};

constexpr int kRowsInFlight = 4;

template <typename E, typename Kind>
struct Args {
  Kind kind;
  E* dx;  // [rows, features]
  int64_t rows, features;
  RowTiles tiles;
};

// Each thread owns a pack of features in kRowsInFlight rows. Bound by memory: dx is written once. No shared
// memory.
template <typename E, typename Kind, int width>
__global__ void __launch_bounds__(256) spreadKernel(Args<E, Kind> args) {
  const RowPosition at = rowPosition(args.tiles, args.rows, args.features);
  if (!at.isInside) return;  // no barrier follows
  typename Kind::Row rRows[kRowsInFlight];
#pragma unroll
  for (int each = 0; each < kRowsInFlight; each++) {
    const int64_t row = at.row + int64_t{each} * args.tiles.rowThreads;
    if (row < at.rowEnd) rRows[each] = args.kind.row(row);
  }
#pragma unroll
  for (int each = 0; each < kRowsInFlight; each++) {
    const int64_t row = at.row + int64_t{each} * args.tiles.rowThreads;
    if (row >= at.rowEnd) break;
    Pack<E, width> rDx;
#pragma unroll
    for (int i = 0; i < width; i++) rDx.values[i] = args.kind.element(row, rRows[each], at.feature + i);
    storePack(args.dx + row * args.features + at.feature, rDx);
  }
}

template <typename E, typename Kind>
void launchSpread(Stream& stream, const char* op, const Kind& kind, const Tensor& dx, Axis axis) {
  const auto [rows, features] = reducedRows(dx, axis);
  Args<E, Kind> args{kind, dx.data<E>(), rows, features, {}};
  constexpr int kWidth = kPackWidth<E>;
  const bool isWide = features % kWidth == 0 && areAlignedFor(kWidth, args.dx);
  args.tiles = rowTiles(rows, features, isWide ? kWidth : 1, kRowsInFlight, INT32_MAX);
  const Launch shape{op, {args.tiles.blocks()}, args.tiles.threads};
  if (isWide)
    launch(stream, shape, spreadKernel<E, Kind, kWidth>, args);
  else
    launch(stream, shape, spreadKernel<E, Kind, 1>, args);
}

}  // namespace

void reduceBackward(Stream& stream, Reduction op, const Tensor& dy, Axis axis, const Tensor& dx) {
  const float divisor = op == Reduction::mean ? static_cast<float>(reducedRows(dx, axis).features) : 1;
  onFloatDType(dx.dtype(), [&]<typename E>(E) {
    launchSpread<E>(stream, nameOf(op).data(), Even<E>{dy.data<float>(), divisor}, dx, axis);
  });
}

void reduceMaxBackward(Stream& stream, const Tensor& dy, const Tensor& indices, Axis axis, const Tensor& dx) {
  onFloatDType(dx.dtype(), [&]<typename E>(E) {
    launchSpread<E>(stream, "max", AtIndex<E>{dy.data<E>(), indices.data<int64_t>()}, dx, axis);
  });
}

}  // namespace crossmap::cuda
