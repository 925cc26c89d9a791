#include "ops/elementwise/binary-expressions.h"
#include "ops/elementwise/elementwise-cuda.h"
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/row-position.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

// The operands that the gradients which are wanted depend on, beside dy: no others are read.
struct Needs {
  bool a, b;
};

constexpr Needs needsOf(Binary op, bool wantsA, bool wantsB) {
  switch (op) {
    case Binary::add:
    case Binary::subtract:
      return {false, false};
    case Binary::multiply:
      return {wantsB, wantsA};
    case Binary::divide:
      return {wantsB, true};
    case Binary::maximum:
    case Binary::minimum:
      return {true, true};
  }
  return {true, true};
}

// Gradients of one pack of elements. As in the forward pass the member is chosen while running.
template <typename E, int width>
struct Gradients {
  Pack<E, width> da;
  float db[width];
};

template <typename E, int width>
__device__ inline Gradients<E, width> gradientsOf(Binary op, const Pack<E, width>& rDy,
                                                  const Pack<E, width>& rA, const float (&rB)[width]) {
  Gradients<E, width> r{};
  onExpression(op, [&](auto expression) {
#pragma unroll
    for (int i = 0; i < width; i++) {
      const float dy = widen(rDy.values[i]);
      const float a = widen(rA.values[i]);
      r.da.values[i] = round<E>(expression.da(dy, a, rB[i]));
      r.db[i] = expression.db(dy, a, rB[i]);
    }
  });
  return r;
}

template <typename E>
struct Full {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  Binary op;
  const E *dy, *a, *b;  // [count]; a and b are null where they are not read
  E *da, *db;           // [count]; null where they are not wanted
  int64_t count;
  bool isWide;

  template <int width>
  struct Loaded {
    Pack<E, width> dy{}, a{}, b{};
  };

  template <int width>
  __device__ Loaded<width> load(int64_t at) const {
    Loaded<width> r;
    r.dy = loadPack<width>(dy + at);
    if (a) r.a = loadPack<width>(a + at);
    if (b) r.b = loadPack<width>(b + at);
    return r;
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded<width>& r) const {
    float rB[width];
#pragma unroll
    for (int i = 0; i < width; i++) rB[i] = widen(r.b.values[i]);
    const Gradients<E, width> gradients = gradientsOf(op, r.dy, r.a, rB);
    if (da) storePack(da + at, gradients.da);
    if (!db) return;
    Pack<E, width> rDb;
#pragma unroll
    for (int i = 0; i < width; i++) rDb.values[i] = round<E>(gradients.db[i]);
    storePack(db + at, rDb);
  }
};

// The sums of a repeated b go by ranges of rows or elements, so that all multiprocessors have work; the sums
// of the ranges are added in order by a second kernel. Both are fixed by the shape.

constexpr int64_t kMostRanges = 512;
constexpr int kRowsInFlight = 4;
constexpr int kRowsPerThread = 8;

template <typename E>
struct RowArgs {
  Binary op;
  const E *dy, *a;  // [rows, features]; a is null where it is not read
  const E* b;       // [features], likewise
  E* da;            // [rows, features], null where it is not wanted
  float* partial;   // [tiles.rowBlocks, features], likewise
  int64_t rows, features;
  bool isAligned;  // whether packs are single accesses
  RowTiles tiles;
};

// Each thread owns a pack of features in the rows of its block that its place gives it; the sums of the block
// go to one row of `partial`. Bound by memory: dy and a are read and da is written once.
// Shared memory: [rowThreads, width, columnThreads] float, the sums of each thread.
template <typename E, int width>
__global__ void __launch_bounds__(256, 2) rowKernel(RowArgs<E> args) {
  const RowPosition at = rowPosition(args.tiles, args.rows, args.features);
  const int64_t rowEnd = at.isInside ? at.rowEnd : 0;  // the others have no rows, but meet at the barrier
  float rB[width] = {};
  if (args.b && at.isInside) {
    const Pack<E, width> packB = loadElements<width>(args.b + at.feature, args.isAligned);
#pragma unroll
    for (int i = 0; i < width; i++) rB[i] = widen(packB.values[i]);
  }
  float rSums[width] = {};
  const int64_t step = args.tiles.rowThreads;
  for (int64_t first = at.row; first < rowEnd; first += step * kRowsInFlight) {
    Pack<E, width> rDy[kRowsInFlight];
    Pack<E, width> rA[kRowsInFlight] = {};
#pragma unroll
    for (int each = 0; each < kRowsInFlight; each++) {
      const int64_t row = first + each * step;
      if (row >= rowEnd) continue;
      rDy[each] = loadElements<width>(args.dy + row * args.features + at.feature, args.isAligned);
      if (args.a) rA[each] = loadElements<width>(args.a + row * args.features + at.feature, args.isAligned);
    }
#pragma unroll
    for (int each = 0; each < kRowsInFlight; each++) {
      const int64_t row = first + each * step;
      if (row >= rowEnd) continue;
      const Gradients<E, width> gradients = gradientsOf(args.op, rDy[each], rA[each], rB);
      if (args.da)
        storeElements<width>(args.da + row * args.features + at.feature, gradients.da, args.isAligned);
#pragma unroll
      for (int i = 0; i < width; i++) rSums[i] += gradients.db[i];
    }
  }
  if (!args.partial) return;  // all threads alike

  const int columns = args.tiles.columnThreads;
  const int rowThreads = args.tiles.rowThreads;
  float* sSums = sharedMemory<float>();
  if (at.rowThread < rowThreads)
    for (int i = 0; i < width; i++) sSums[(at.rowThread * width + i) * columns + at.column] = rSums[i];
  __syncthreads();  // the sums of all threads are in sSums
  const int64_t firstFeature = at.feature - int64_t{at.column} * width;  // of the block
  for (int each = static_cast<int>(threadIdx.x); each < columns * width;
       each += static_cast<int>(blockDim.x)) {
    const int64_t feature = firstFeature + each;
    if (feature >= args.features) continue;
    float sum = 0;
    for (int row = 0; row < rowThreads; row++)
      sum += sSums[(row * width + each % width) * columns + each / width];
    args.partial[at.rowBlock * args.features + feature] = sum;
  }
}

constexpr int kRangeThreads = 8;  // threads that share the ranges of a column

struct RangesArgs {
  const float* partial;  // [ranges, features]
  float* sums;           // [features]
  int64_t ranges, features;
};

// A warp has 32 columns side by side, and the warps of a block share the ranges. Shared memory:
// [kRangeThreads, 32] float.
__global__ void __launch_bounds__(kRangeThreads* kWarpSize) sumRangesKernel(RangesArgs args) {
  const int64_t feature = int64_t{blockIdx.x} * kWarpSize + laneIndex();
  float sum = 0;
  if (feature < args.features) {
#pragma unroll 4
    for (int64_t range = warpIndex(); range < args.ranges; range += kRangeThreads)
      sum += args.partial[range * args.features + feature];
  }
  float* sSums = sharedMemory<float>();
  sSums[threadIdx.x] = sum;
  __syncthreads();  // the sums of all warps are in sSums
  if (warpIndex() > 0 || feature >= args.features) return;
  float total = 0;
#pragma unroll
  for (int warp = 0; warp < kRangeThreads; warp++) total += sSums[warp * kWarpSize + laneIndex()];
  args.sums[feature] = total;
}

template <typename E>
void launchRow(Stream& stream, RowArgs<E> args, const BinaryGradients& out) {
  const char* op = nameOf(args.op).data();
  const auto launchAs = [&]<int width>(std::integral_constant<int, width>) {
    args.tiles = rowTiles(args.rows, args.features, width, kRowsPerThread, kMostRanges);
    const auto& tiles = args.tiles;
    std::optional<Tensor> partial;
    if (out.db) partial = empty({tiles.rowBlocks, args.features}, DType::float32, out.db->device());
    args.partial = partial ? partial->data<float>() : nullptr;
    const int64_t sharedBytes =
        int64_t{tiles.rowThreads} * tiles.columnThreads * width * int64_t{sizeof(float)};
    launch(stream, {op, {tiles.blocks()}, tiles.threads, sharedBytes}, rowKernel<E, width>, args);
    if (out.db)
      launch(stream,
             {op,
              {ceilDiv(args.features, kWarpSize)},
              kRangeThreads * kWarpSize,
              kRangeThreads * kWarpSize * int64_t{sizeof(float)}},
             sumRangesKernel,
             RangesArgs{args.partial, out.db->data<float>(), tiles.rowBlocks, args.features});
  };
  constexpr int kWidth = kPackWidth<E>;
  if (args.features % kWidth == 0) return launchAs(std::integral_constant<int, kWidth>{});
  launchAs(std::integral_constant<int, 1>{});
}

template <typename E>
struct Scalar {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  static constexpr bool isWide = true;  // so that the order of the sum is the same at any address
  Binary op;
  const E *dy, *a;  // [count]; a is null where it is not read
  const void* b;    // []: E or float32
  bool isFloat32;
  E* da;            // [count], null where it is not wanted
  double* partial;  // [blocks], likewise
  int64_t count;
  bool isAligned;  // whether packs are single accesses
  float valueB;    // set by prepare
  double sum;

  __device__ void prepare() {
    valueB = scalarAt<E>(b, isFloat32);
    sum = 0;
  }

  template <int width>
  struct Loaded {
    Pack<E, width> dy{}, a{};
  };

  template <int width>
  __device__ Loaded<width> load(int64_t at) const {
    Loaded<width> r;
    r.dy = loadElements<width>(dy + at, isAligned);
    if (a) r.a = loadElements<width>(a + at, isAligned);
    return r;
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded<width>& r) {
    float rB[width];
#pragma unroll
    for (int i = 0; i < width; i++) rB[i] = valueB;
    const Gradients<E, width> gradients = gradientsOf(op, r.dy, r.a, rB);
    if (da) storeElements<width>(da + at, gradients.da, isAligned);
    float ofPack = 0;
#pragma unroll
    for (int i = 0; i < width; i++) ofPack += gradients.db[i];
    sum += ofPack;
  }
};

// Like elementsKernel; the sum of a block goes to `partial`. The sums of packs are float32, and those of
// these double, so that none is long in float32. Shared memory: [32] double, of blockSum.
template <typename E>
__global__ void __launch_bounds__(kElementThreads, 2) scalarKernel(Scalar<E> args) {
  Scalar<E> body = args;
  forElements(body);
  if (!args.partial) return;  // all threads alike
  const double sum = blockSum(body.sum, sharedMemory<double>());
  if (threadIdx.x == 0) args.partial[blockIdx.x] = sum;
}

struct TotalArgs {
  const double* partial;  // [count]
  int64_t count;
  float* total;  // []
};

// One block. Shared memory: [32] double, of blockSum.
__global__ void __launch_bounds__(kElementThreads) totalKernel(TotalArgs args) {
  double sum = 0;
  for (int64_t each = threadIdx.x; each < args.count; each += kElementThreads) sum += args.partial[each];
  sum = blockSum(sum, sharedMemory<double>());
  if (threadIdx.x == 0) *args.total = static_cast<float>(sum);
}

template <typename E>
void launchScalar(Stream& stream, Scalar<E> body, const BinaryGradients& out) {
  const char* op = nameOf(body.op).data();
  constexpr int64_t kSumBytes = 32 * int64_t{sizeof(double)};
  // The number of blocks depends on the shape alone, and so does the order of the sum.
  const int64_t blocks = elementBlocks(body, 2 * kMostRanges);
  std::optional<Tensor> partial;
  if (out.db) partial = empty({blocks}, DType::int64, out.db->device());  // the bytes of as many doubles
  body.partial = partial ? static_cast<double*>(partial->raw()) : nullptr;
  launch(stream, {op, {blocks}, kElementThreads, kSumBytes}, scalarKernel<E>, body);
  if (out.db)
    launch(stream, {op, {1}, kElementThreads, kSumBytes}, totalKernel,
           TotalArgs{body.partial, blocks, out.db->data<float>()});
}

}  // namespace

void binaryBackward(Stream& stream, Binary op, const Tensor& dy, const Tensor& a, const Tensor& b,
                    const BinaryGradients& out) {
  const Layout layout = layoutOf(a, b);
  const Needs needs = needsOf(op, out.da.has_value(), out.db.has_value());
  onFloatDType(a.dtype(), [&]<typename E>(E) {
    constexpr int kWidth = kPackWidth<E>;
    const E* gDy = dy.data<E>();
    const E* gA = needs.a ? a.data<E>() : nullptr;
    E* gDa = out.da ? out.da->data<E>() : nullptr;
    const bool isAligned = areAlignedFor(kWidth, gDy, gA, gDa);
    if (layout.operand == Operand::scalar)
      return launchScalar(stream,
                          Scalar<E>{op, gDy, gA, b.raw(), b.dtype() == DType::float32, gDa, nullptr,
                                    a.elements(), isAligned, 0, 0},
                          out);
    const E* gB = needs.b ? b.data<E>() : nullptr;
    if (layout.operand == Operand::row)
      return launchRow(stream,
                       RowArgs<E>{op,
                                  gDy,
                                  gA,
                                  gB,
                                  gDa,
                                  nullptr,
                                  layout.rows,
                                  layout.features,
                                  isAligned && areAlignedFor(kWidth, gB),
                                  {}},
                       out);
    E* gDb = out.db ? out.db->data<E>() : nullptr;
    launchElements(
        stream, nameOf(op).data(),
        Full<E>{op, gDy, gA, gB, gDa, gDb, a.elements(), isAligned && areAlignedFor(kWidth, gB, gDb)});
  });
}

}  // namespace crossmap::cuda
