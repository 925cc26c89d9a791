#include "ops/rms-norm/rms-norm-cuda.h"
#include "ops/rms-norm/rms-norm-plan.h"
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

constexpr int kScratchBytes = kWarpSize * sizeof(float);  // of sums over a block

// Of both passes: the tokens, and which threads own one.
struct Rows {
  int64_t tokens, features;
  int teams;
  bool isKept;     // see RmsNormPlan
  bool isAligned;  // whether packs are single accesses
};

struct Team {
  int index;  // in the block
  int lane, lanes;
};

__device__ inline Team teamOf(const Rows& rows) {
  const int lanes = static_cast<int>(blockDim.x) / rows.teams;
  return {static_cast<int>(threadIdx.x) / lanes, static_cast<int>(threadIdx.x) % lanes, lanes};
}

// Over a team, in each of its threads. A team that is not a warp is the block.
__device__ inline float teamSum(const Rows& rows, float value) {
  return rows.teams > 1 ? warpSum(value) : blockSum(value, sharedMemory<float>());
}

// Calls f(at, pack width as a constant) for the packs of a row that a thread owns.
template <int width, typename F>
__device__ inline void forRow(const Rows& rows, const Team& team, F&& f) {
#pragma unroll 2
  for (int64_t at = int64_t{team.lane} * width; at < rows.features; at += int64_t{team.lanes} * width) f(at);
}

template <typename E>
struct ForwardArgs {
  Rows rows;
  const E *x, *residual, *weight;  // [tokens, features] twice, the second or null; [features]
  E *sum, *y;                      // [tokens, features]; the first null without a residual
  float* rstd;                     // [tokens]
  float eps;
};

// A team owns a token: its row is read once, kept, and written once. Bound by memory.
// Shared memory: [32] float, of sums over the block; [features] E, the weights; [teams, features] E, the
// rows. Each thread reads of them what it wrote itself, so that no barrier is needed.
template <typename E, int width>
__global__ void __launch_bounds__(256, 4) forwardKernel(ForwardArgs<E> args) {
  const Rows& rows = args.rows;
  const Team team = teamOf(rows);
  E* sWeight = sharedMemory<E>(kScratchBytes) + team.index * rows.features;
  E* sRow = sharedMemory<E>(kScratchBytes) + (rows.teams + team.index) * rows.features;
  if (rows.isKept)
    forRow<width>(rows, team, [&](int64_t at) {
      storePack(sWeight + at, loadElements<width>(args.weight + at, rows.isAligned));
    });
  const E* weight = rows.isKept ? sWeight : args.weight;
  const bool isWeightAligned = rows.isKept || rows.isAligned;
  for (int64_t t = int64_t{blockIdx.x} * rows.teams + team.index; t < rows.tokens;
       t += int64_t{gridDim.x} * rows.teams) {
    const int64_t row = t * rows.features;
    float squares = 0;
    forRow<width>(rows, team, [&](int64_t at) {
      auto rX = loadElements<width>(args.x + row + at, rows.isAligned);
      if (args.residual) {
        const auto rResidual = loadElements<width>(args.residual + row + at, rows.isAligned);
#pragma unroll
        for (int i = 0; i < width; i++)
          rX.values[i] = round<E>(widen(rX.values[i]) + widen(rResidual.values[i]));
        storeElements<width>(args.sum + row + at, rX, rows.isAligned);
      }
      if (rows.isKept) storePack(sRow + at, rX);
#pragma unroll
      for (int i = 0; i < width; i++) squares += widen(rX.values[i]) * widen(rX.values[i]);
    });
    squares = teamSum(rows, squares);
    const float rstd = 1.f / sqrtf(squares / static_cast<float>(rows.features) + args.eps);
    const E* x = rows.isKept ? sRow : (args.residual ? args.sum : args.x) + row;
    forRow<width>(rows, team, [&](int64_t at) {
      const auto rX = loadElements<width>(x + at, rows.isKept || rows.isAligned);
      const auto rWeight = loadElements<width>(weight + at, isWeightAligned);
      Pack<E, width> rY;
#pragma unroll
      for (int i = 0; i < width; i++)
        rY.values[i] = round<E>(widen(rX.values[i]) * rstd * widen(rWeight.values[i]));
      storeElements<width>(args.y + row + at, rY, rows.isAligned);
    });
    if (team.lane == 0) args.rstd[t] = rstd;
  }
}

// Where the sum of feature d lies among a team's. A thread has `width` neighbours and reads four at a time:
// the second fours of all threads lie behind the first ones, so that lanes next to each other meet in no
// bank.
template <int width>
__device__ inline int64_t sumOffset(int64_t d, int64_t features) {
  if constexpr (width <= 4) return d;
  return d % width / 4 * (features / 2) + d / width * 4 + d % 4;
}

template <typename E>
struct BackwardArgs {
  Rows rows;
  const E *dy, *dSum, *x, *weight;  // [tokens, features] three times, dSum or null; [features]
  const float* rstd;                // [tokens]
  E* dx;                            // [tokens, features], or null
  float* partials;                  // [blocks, features] sums of dWeight, or null
};

// A team owns a token's dx, and the sum of dWeight over its tokens: both rows are read once. Bound by memory.
// Shared memory: [32] float, of sums over the block; [teams, features] float, sums of dWeight; [features] E
// for each team, weights; [teams, features] E twice, x and dy. Where that is too much, rows are read again
// and a block, which then is one team, sums in its row of `partials`.
template <typename E, int width>
__global__ void __launch_bounds__(256) backwardKernel(BackwardArgs<E> args) {
  const Rows& rows = args.rows;
  const Team team = teamOf(rows);
  const int64_t features = rows.features;
  auto* sSums = reinterpret_cast<float*>(sharedMemory<char>(kScratchBytes));
  auto* sRows = reinterpret_cast<E*>(sSums + rows.teams * features);
  E* sWeight = sRows + team.index * features;
  E* sX = sRows + (rows.teams + team.index) * features;
  E* sDy = sRows + (2 * rows.teams + team.index) * features;
  float* gPartial = args.partials ? args.partials + blockIdx.x * features : nullptr;
  float* sums = rows.isKept ? sSums + team.index * features : gPartial;
  constexpr int kSums = width < 4 ? width : 4;  // that are read at once
  const auto sumAt = [&](int64_t d) { return rows.isKept ? sumOffset<width>(d, features) : d; };
  if (rows.isKept)
    forRow<width>(rows, team, [&](int64_t at) {
      storePack(sWeight + at, loadElements<width>(args.weight + at, rows.isAligned));
    });
  if (gPartial)
    forRow<width>(rows, team, [&](int64_t at) {
#pragma unroll
      for (int i = 0; i < width; i += kSums) storePack(sums + sumAt(at + i), Pack<float, kSums>{});
    });
  const E* weight = rows.isKept ? sWeight : args.weight;
  const bool isKeptAligned = rows.isKept || rows.isAligned;

  for (int64_t t = int64_t{blockIdx.x} * rows.teams + team.index; t < rows.tokens;
       t += int64_t{gridDim.x} * rows.teams) {
    const int64_t row = t * features;
    const float rstd = args.rstd[t];
    float along = 0;
    forRow<width>(rows, team, [&](int64_t at) {
      const auto rX = loadElements<width>(args.x + row + at, rows.isAligned);
      const auto rDy = loadElements<width>(args.dy + row + at, rows.isAligned);
      const auto rWeight = loadElements<width>(weight + at, isKeptAligned);
      if (rows.isKept) {
        storePack(sX + at, rX);
        storePack(sDy + at, rDy);
      }
#pragma unroll
      for (int i = 0; i < width; i++)
        along += widen(rDy.values[i]) * widen(rWeight.values[i]) * (widen(rX.values[i]) * rstd);
    });
    along = teamSum(rows, along) / static_cast<float>(features);
    const E* x = rows.isKept ? sX : args.x + row;
    const E* dy = rows.isKept ? sDy : args.dy + row;
    forRow<width>(rows, team, [&](int64_t at) {
      const auto rX = loadElements<width>(x + at, isKeptAligned);
      const auto rDy = loadElements<width>(dy + at, isKeptAligned);
      const auto rWeight = loadElements<width>(weight + at, isKeptAligned);
      if (args.dx) {
        Pack<E, width> rDSum{};
        if (args.dSum) rDSum = loadElements<width>(args.dSum + row + at, rows.isAligned);
        Pack<E, width> rDx;
#pragma unroll
        for (int i = 0; i < width; i++) {
          const float through =
              (widen(rDy.values[i]) * widen(rWeight.values[i]) - widen(rX.values[i]) * rstd * along) * rstd;
          rDx.values[i] = round<E>(args.dSum ? through + widen(rDSum.values[i]) : through);
        }
        storeElements<width>(args.dx + row + at, rDx, rows.isAligned);
      }
      if (!gPartial) return;
#pragma unroll
      for (int i = 0; i < width; i += kSums) {
        auto rSums = loadPack<kSums>(sums + sumAt(at + i));
#pragma unroll
        for (int e = 0; e < kSums; e++)
          rSums.values[e] = fmaf(widen(rDy.values[i + e]), widen(rX.values[i + e]) * rstd, rSums.values[e]);
        storePack(sums + sumAt(at + i), rSums);
      }
    });
  }

  if (!gPartial || !rows.isKept) return;  // all threads of the block
  __syncthreads();                        // the sums of all teams are complete
  for (int64_t d = threadIdx.x; d < features; d += blockDim.x) {
    float sum = 0;
    for (int each = 0; each < rows.teams; each++)
      sum += sSums[each * features + sumOffset<width>(d, features)];
    gPartial[d] = sum;
  }
}

constexpr int kAddColumns = 32;
constexpr int kAddSlices = 8;

struct AddPartialsArgs {
  const float* partials;  // [count, features]
  float* dWeight;         // [features]
  int64_t count, features;
};

// A block owns kAddColumns features. Each of its warps adds up every kAddSlices-th partial sum, then the
// first one adds up theirs: a fixed order. Shared memory: [kAddSlices, kAddColumns] float.
__global__ void __launch_bounds__(kAddColumns* kAddSlices) addPartialsKernel(AddPartialsArgs args) {
  auto* sSums = sharedMemory<float>();
  const int64_t d = int64_t{blockIdx.x} * kAddColumns + laneIndex();
  float sum = 0;
  if (d < args.features)
    for (int64_t partial = warpIndex(); partial < args.count; partial += kAddSlices)
      sum += args.partials[partial * args.features + d];
  sSums[warpIndex() * kAddColumns + laneIndex()] = sum;
  __syncthreads();  // all warps have written their sums
  if (warpIndex() > 0 || d >= args.features) return;
  for (int slice = 1; slice < kAddSlices; slice++) sum += sSums[slice * kAddColumns + laneIndex()];
  args.dWeight[d] = sum;
}

template <typename E>
void forward(Stream& stream, const char* op, const Tensor& x, const Tensor* residual, const Tensor& weight,
             double eps, const Tensor* sum, const Tensor& y, const Tensor& rstd) {
  const int64_t tokens = x.size(0), features = x.size(1);
  const int64_t rowBytes = features * int64_t{sizeof(E)};
  const RmsNormPlan plan = rmsNormPlan(stream.architecture(), tokens, features, 2 * rowBytes, kScratchBytes);
  ForwardArgs<E> args{{tokens, features, plan.teams, plan.isKept, false},
                      x.data<E>(),
                      residual ? residual->data<E>() : nullptr,
                      weight.data<E>(),
                      sum ? sum->data<E>() : nullptr,
                      y.data<E>(),
                      rstd.data<float>(),
                      static_cast<float>(eps)};
  constexpr int kWidth = kPackWidth<E>;
  args.rows.isAligned = areAlignedFor(kWidth, args.x, args.residual, args.weight, args.sum, args.y);
  const Launch shape{op, {plan.blocks}, plan.threads, plan.sharedBytes};
  if (features % kWidth == 0)
    launch(stream, shape, forwardKernel<E, kWidth>, args);
  else
    launch(stream, shape, forwardKernel<E, 1>, args);
}

}  // namespace

void rmsNorm(Stream& stream, const Tensor& x, const Tensor& weight, double eps, const RmsNormForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    forward<E>(stream, "rmsNorm", x, nullptr, weight, eps, nullptr, out.y, out.rstd);
  });
}

void rmsNormResidual(Stream& stream, const Tensor& x, const Tensor& residual, const Tensor& weight,
                     double eps, const RmsNormResidualForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    forward<E>(stream, "rmsNormResidual", x, &residual, weight, eps, &out.sum, out.y, out.rstd);
  });
}

void rmsNormBackward(Stream& stream, const Tensor& dy, const std::optional<Tensor>& dSum, const Tensor& x,
                     const Tensor& weight, const Tensor& rstd, const RmsNormGradients& out) {
  const int64_t tokens = x.size(0), features = x.size(1);
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const int64_t bytesOfTeam = features * int64_t{3 * sizeof(E) + sizeof(float)};
    const RmsNormPlan plan = rmsNormPlan(stream.architecture(), tokens, features, bytesOfTeam, kScratchBytes);
    const Tensor partials = empty({out.dWeight ? plan.blocks : 0, features}, DType::float32, x.device());
    BackwardArgs<E> args{{tokens, features, plan.teams, plan.isKept, false},
                         dy.data<E>(),
                         dSum ? dSum->data<E>() : nullptr,
                         x.data<E>(),
                         weight.data<E>(),
                         rstd.data<float>(),
                         out.dx ? out.dx->data<E>() : nullptr,
                         out.dWeight ? partials.data<float>() : nullptr};
    constexpr int kWidth = kPackWidth<E>;
    args.rows.isAligned = areAlignedFor(kWidth, args.dy, args.dSum, args.x, args.weight, args.dx);
    const Launch shape{"rmsNormBackward", {plan.blocks}, plan.threads, plan.sharedBytes};
    if (features % kWidth == 0)
      launch(stream, shape, backwardKernel<E, kWidth>, args);
    else
      launch(stream, shape, backwardKernel<E, 1>, args);
    if (!out.dWeight) return;
    launch(stream,
           {"rmsNormBackward",
            {ceilDiv(features, int64_t{kAddColumns})},
            kAddColumns * kAddSlices,
            kAddColumns * kAddSlices * sizeof(float)},
           addPartialsKernel,
           AddPartialsArgs{partials.data<float>(), out.dWeight->data<float>(), plan.blocks, features});
  });
}

}  // namespace crossmap::cuda
