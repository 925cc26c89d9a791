#include "ops/elementwise/binary-expressions.h"
#include "ops/elementwise/elementwise-cuda.h"
#include "runtime/cuda/device/row-position.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

// rY = f(rA, rB). The member of the family is chosen while running, once per pack: a branch that all threads
// take together costs nothing beside the memory, and kernels for each would be a sixfold build.
template <typename E, int width>
__device__ inline Pack<E, width> valuesOf(Binary op, const Pack<E, width>& rA, const float (&rB)[width]) {
  Pack<E, width> rY{};
  onExpression(op, [&](auto expression) {
#pragma unroll
    for (int i = 0; i < width; i++) rY.values[i] = round<E>(expression.value(widen(rA.values[i]), rB[i]));
  });
  return rY;
}

template <typename E>
struct Full {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  Binary op;
  const E *a, *b;  // [count]
  E* y;            // [count]
  int64_t count;
  bool isWide;

  template <int width>
  struct Loaded {
    Pack<E, width> a, b;
  };

  template <int width>
  __device__ Loaded<width> load(int64_t at) const {
    return {loadPack<width>(a + at), loadPack<width>(b + at)};
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded<width>& r) const {
    float rB[width];
#pragma unroll
    for (int i = 0; i < width; i++) rB[i] = widen(r.b.values[i]);
    storePack(y + at, valuesOf(op, r.a, rB));
  }
};

template <typename E>
struct Scalar {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  Binary op;
  const E* a;     // [count]
  const void* b;  // []: E or float32
  bool isFloat32;
  E* y;  // [count]
  int64_t count;
  bool isWide;
  float valueB;  // set by prepare

  __device__ void prepare() { valueB = scalarAt<E>(b, isFloat32); }

  template <int width>
  __device__ Pack<E, width> load(int64_t at) const {
    return loadPack<width>(a + at);
  }

  template <int width>
  __device__ void store(int64_t at, const Pack<E, width>& rA) const {
    float rB[width];
#pragma unroll
    for (int i = 0; i < width; i++) rB[i] = valueB;
    storePack(y + at, valuesOf(op, rA, rB));
  }
};

constexpr int kRowsInFlight = 4;
constexpr int kRowsPerThread = 8;  // b is read once in so many rows

template <typename E>
struct RowArgs {
  Binary op;
  const E* a;  // [rows, features]
  const E* b;  // [features]
  E* y;        // [rows, features]
  int64_t rows, features;
  RowTiles tiles;
};

// Each thread owns a pack of features in kRowsPerThread rows, and keeps that of b in registers. Bound by
// memory: a is read and y is written once. No shared memory.
template <typename E, int width>
__global__ void __launch_bounds__(256) rowKernel(RowArgs<E> args) {
  const RowPosition at = rowPosition(args.tiles, args.rows, args.features);
  if (!at.isInside) return;  // no barrier follows
  const Pack<E, width> packB = loadPack<width>(args.b + at.feature);
  float rB[width];
#pragma unroll
  for (int i = 0; i < width; i++) rB[i] = widen(packB.values[i]);
  const int64_t step = args.tiles.rowThreads;
  for (int64_t first = at.row; first < at.rowEnd; first += step * kRowsInFlight) {
    Pack<E, width> rA[kRowsInFlight];
#pragma unroll
    for (int each = 0; each < kRowsInFlight; each++) {
      const int64_t row = first + each * step;
      if (row < at.rowEnd) rA[each] = loadPack<width>(args.a + row * args.features + at.feature);
    }
#pragma unroll
    for (int each = 0; each < kRowsInFlight; each++) {
      const int64_t row = first + each * step;
      if (row < at.rowEnd)
        storePack(args.y + row * args.features + at.feature, valuesOf(args.op, rA[each], rB));
    }
  }
}

template <typename E>
void launchRow(Stream& stream, Binary op, const E* a, const E* b, E* y, const Layout& layout) {
  const auto launchAs = [&]<int width>(std::integral_constant<int, width>) {
    const RowTiles tiles = rowTiles(layout.rows, layout.features, width, kRowsPerThread, INT32_MAX);
    launch(stream, {nameOf(op).data(), {tiles.blocks()}, tiles.threads}, rowKernel<E, width>,
           RowArgs<E>{op, a, b, y, layout.rows, layout.features, tiles});
  };
  constexpr int kWidth = kPackWidth<E>;
  if (layout.features % kWidth == 0 && areAlignedFor(kWidth, a, b, y))
    return launchAs(std::integral_constant<int, kWidth>{});
  launchAs(std::integral_constant<int, 1>{});
}

}  // namespace

void binary(Stream& stream, Binary op, const Tensor& a, const Tensor& b, const Tensor& y) {
  onFloatDType(a.dtype(), [&]<typename E>(E) {
    const Layout layout = layoutOf(a, b);
    const E* gA = a.data<E>();
    E* gY = y.data<E>();
    const bool isWide = areAlignedFor(kPackWidth<E>, gA, gY);
    switch (layout.operand) {
      case Operand::full: {
        const E* gB = b.data<E>();
        return launchElements(
            stream, nameOf(op).data(),
            Full<E>{op, gA, gB, gY, a.elements(), isWide && areAlignedFor(kPackWidth<E>, gB)});
      }
      case Operand::row:
        return launchRow(stream, op, gA, b.data<E>(), gY, layout);
      case Operand::scalar:
        return launchElements(
            stream, nameOf(op).data(),
            Scalar<E>{op, gA, b.raw(), b.dtype() == DType::float32, gY, a.elements(), isWide, 0});
    }
  });
}

}  // namespace crossmap::cuda
