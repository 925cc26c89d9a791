#pragma once
// Masks of a strip of 16 owned rows: which keys each of its elements may see, and which pieces of 16 x 16 a
// block of keys, or of rows, has for it at all.
#include "ops/attention/attention-cuda-args.cuh"

namespace crossmap::cuda {
namespace {

// Which keys the two rows of a lane see, and the ends of what the strip sees.
struct StripView {
  KeyView rows[2];
  int begin, end;
  int prefixBegin, prefixEnd;

  // Bit c: some row of the strip sees some of the 16 keys from first + 16 c on.
  template <int kStreamed>
  __device__ uint32_t piecesSeen(int first) const {
    uint32_t pieces = 0;
#pragma unroll
    for (int c = 0; c < kStreamed / 16; c++) {
      const int key = first + 16 * c;
      const bool seen = (key < end && key + 16 > begin) || (key < prefixEnd && key + 16 > prefixBegin);
      pieces |= static_cast<uint32_t>(seen) << c;
    }
    return pieces;
  }
};

__device__ inline int stripLeast(int value) {
#pragma unroll
  for (int distance = 4; distance < kWarpSize; distance *= 2)
    value = min(value, __shfl_xor_sync(kAllLanes, value, distance));
  return value;
}

__device__ inline int stripMost(int value) { return -stripLeast(-value); }

template <typename E>
__device__ StripView stripView(const AttentionArgs<E>& a, int64_t firstRow) {
  constexpr int kFar = 0x7fffffff;
  StripView view;
  int begin = kFar, end = 0, prefixBegin = kFar, prefixEnd = 0;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const KeyView row = a.viewOf(firstRow + laneIndex() / 4 + 8 * half);
    view.rows[half] = row;
    if (row.begin < row.end) {
      begin = min(begin, row.begin);
      end = max(end, row.end);
    }
    if (row.prefixBegin < row.prefixEnd) {
      prefixBegin = min(prefixBegin, row.prefixBegin);
      prefixEnd = max(prefixEnd, row.prefixEnd);
    }
  }
  view.begin = stripLeast(begin);
  view.end = stripMost(end);
  view.prefixBegin = stripLeast(prefixBegin);
  view.prefixEnd = stripMost(prefixEnd);
  return view;
}

// The same where keys are owned: bit c: some of rows 16 c to 16 c + 15 of the block sees some of the 16 keys
// from firstKey on.
template <int kStreamed>
__device__ uint32_t piecesThatSee(const KeyView* sViews, int firstKey) {
  uint32_t pieces = 0;
#pragma unroll
  for (int base = 0; base < kStreamed; base += kWarpSize) {
    const int row = base + laneIndex();
    const bool sees = row < kStreamed && loadWhole(sViews + row).seesSome(firstKey, firstKey + kStripRows);
    const uint32_t rows = __ballot_sync(kAllLanes, sees);
    pieces |= static_cast<uint32_t>((rows & 0xffffu) != 0) << base / 16;
    pieces |= static_cast<uint32_t>(rows >> 16 != 0) << (base / 16 + 1);
  }
  return pieces;
}

}  // namespace
}  // namespace crossmap::cuda
