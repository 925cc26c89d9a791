#include <string>

#include "ops/rotary/rotary-cuda.h"
#include "ops/rotary/sine-cosine.h"
#include "runtime/cuda/device/fault.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

constexpr int kThreads = 256;

template <typename E>
struct Args {
  const E* x;                // [tokens, heads, headDim]
  const int32_t* positions;  // [tokens]
  const float* frequencies;  // [half]
  E* y;                      // [tokens, heads, headDim]
  int64_t tokens, heads;
  int half;  // headDim / 2
  int tokensOfBlock;
  double scale, sign;  // sign -1: by the opposite angle
  bool isAligned;
  FaultSlot* fault;
};

// A block owns some whole tokens. Bound by memory: each element is read and written once. Sines and cosines
// are computed in float64, once for all heads of a token, since an angle of 2^31 leaves float32 no digit.
// Shared memory: [tokensOfBlock, width, half / width] float2, cosine and sine times scale. Neighbouring
// threads have neighbouring packs, and so read neighbouring turns: in the order of the features they would be
// a pack apart, in the same banks.
template <typename E, int width>
__global__ void __launch_bounds__(kThreads) rotaryKernel(Args<E> args) {
  auto* sTurns = sharedMemory<float>();
  const int half = args.half, packs = half / width;
  const int64_t first = int64_t{blockIdx.x} * args.tokensOfBlock;
  const int tokens = static_cast<int>(min(args.tokens - first, int64_t{args.tokensOfBlock}));
  for (int i = static_cast<int>(threadIdx.x); i < tokens * half; i += kThreads) {
    const int32_t position = args.positions[first + i / half];
    if (position < 0 && i % half == 0) reportFault(args.fault, first + i / half, position);
    const int d = i % half % packs * width + i % half / packs;
    const float angle = static_cast<float>(position) * args.frequencies[d];
    const SineCosine turn = sineCosine(double{angle});
    // Nothing is left of a token whose position is refused.
    const double scale = position < 0 ? 0 : args.scale;
    const Pack<float, 2> rTurn{
        {static_cast<float>(scale * turn.cosine), static_cast<float>(args.sign * scale * turn.sine)}};
    storePack(sTurns + 2 * i, rTurn);
  }
  __syncthreads();  // all sines and cosines are written

  const int64_t count = args.heads * packs;  // of a token
  for (int64_t i = threadIdx.x; i < tokens * count; i += kThreads) {
    const int token = static_cast<int>(i / count);
    const int64_t inToken = i % count;
    const int pack = static_cast<int>(inToken % packs);
    const int64_t at = ((first + token) * args.heads + inToken / packs) * 2 * half + pack * width;
    const auto rFirst = loadElements<width>(args.x + at, args.isAligned);
    const auto rSecond = loadElements<width>(args.x + at + half, args.isAligned);
    const bool isRefused = args.positions[first + token] < 0;
    Pack<E, width> rLow, rHigh;
#pragma unroll
    for (int e = 0; e < width; e++) {
      const auto rTurn = loadPack<2>(sTurns + 2 * (token * half + e * packs + pack));
      const float a = widen(rFirst.values[e]), b = widen(rSecond.values[e]);
      const float cosine = rTurn.values[0], sine = rTurn.values[1];
      // Infinity times 0 is NaN, and a refused token is all zeros.
      rLow.values[e] = round<E>(isRefused ? 0.f : a * cosine - b * sine);
      rHigh.values[e] = round<E>(isRefused ? 0.f : b * cosine + a * sine);
    }
    storeElements<width>(args.y + at, rLow, args.isAligned);
    storeElements<width>(args.y + at + half, rHigh, args.isAligned);
  }
}

void rotate(Stream& stream, const char* op, const Tensor& x, const Tensor& positions,
            const Tensor& frequencies, double scale, double sign, const Tensor& y) {
  if (x.elements() == 0) return;
  FaultSlot* fault = stream.faultSlot(op, ErrorCode::index, [](int64_t token, int32_t position) {
    return "position " + std::to_string(position) + " of token " + std::to_string(token) +
           " must be 0 or more";
  });
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const int64_t half = x.size(2) / 2;
    // A thread or so computes one sine; more tokens than that would leave multiprocessors without a block.
    const int64_t most = stream.architecture().sharedBytes / (half * int64_t{2 * sizeof(float)});
    const int64_t tokensOfBlock = std::clamp<int64_t>(kThreads / half, 1, std::max<int64_t>(most, 1));
    Args<E> args{x.data<E>(),
                 positions.data<int32_t>(),
                 frequencies.data<float>(),
                 y.data<E>(),
                 x.size(0),
                 x.size(1),
                 static_cast<int>(half),
                 static_cast<int>(tokensOfBlock),
                 scale,
                 sign,
                 false,
                 fault};
    constexpr int kWidth = kPackWidth<E>;
    args.isAligned = areAlignedFor(kWidth, args.x, args.y);
    const Launch shape{op,
                       {ceilDiv(args.tokens, tokensOfBlock)},
                       kThreads,
                       tokensOfBlock * half * int64_t{2 * sizeof(float)}};
    if (half % kWidth == 0)
      launch(stream, shape, rotaryKernel<E, kWidth>, args);
    else
      launch(stream, shape, rotaryKernel<E, 1>, args);
  });
}

}  // namespace

void rotary(Stream& stream, const Tensor& x, const Tensor& positions, const Tensor& frequencies, double scale,
            const Tensor& y) {
  rotate(stream, "rotary", x, positions, frequencies, scale, 1, y);
}

void rotaryBackward(Stream& stream, const Tensor& dy, const Tensor& positions, const Tensor& frequencies,
                    double scale, const Tensor& dx) {
  rotate(stream, "rotaryBackward", dy, positions, frequencies, scale, -1, dx);
}

}  // namespace crossmap::cuda
