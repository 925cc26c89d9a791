// A pipeline of asynchronous copies in two buffers, with each of the mistakes that such pipelines invite.
#include "runtime/cuda/device/async-copy.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/simt/config.h"
#include "runtime/simt/report.h"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

constexpr int kThreads = 64;
constexpr int kTile = kThreads * 4;  // floats
constexpr int kTiles = 6;
constexpr int kBlocks = 2;
constexpr int kTileBytes = kTile * static_cast<int>(sizeof(float));

enum class Mistake { none, noWait, weakWait, noBarrierAfterWait, noBarrierBeforeReuse, noCommit };

// y[block, i] = sum over tiles of x[block, tile, reversed i]: each thread reads what others copied.
// Shared memory: two tiles.
template <Mistake mistake>
__global__ void pipelineKernel(const float* x, float* y) {
  const int thread = static_cast<int>(threadIdx.x);
  const float* gX = x + int64_t{blockIdx.x} * kTiles * kTile;
  const auto copyTile = [&](int tile) {
    copyAsync16(sharedAddress(sharedMemory<float>(tile % 2 * kTileBytes) + 4 * thread),
                gX + int64_t{tile} * kTile + 4 * thread);
    if (mistake != Mistake::noCommit) commitCopies();
  };

  float total = 0;
  copyTile(0);
  for (int tile = 0; tile < kTiles; tile++) {
    if (tile + 1 < kTiles) copyTile(tile + 1);
    if (mistake == Mistake::weakWait)
      waitCopies<2>();
    else if (mistake == Mistake::noWait) {
    } else if (tile + 1 < kTiles)
      waitCopies<1>();
    else
      waitCopies<0>();
    if (mistake != Mistake::noBarrierAfterWait) __syncthreads();  // the tile of all threads is there
    const float* sX = sharedMemory<float>(tile % 2 * kTileBytes);
    for (int i = 0; i < 4; i++) total += sX[kTile - 1 - (thread + i * kThreads)];
    if (mistake != Mistake::noBarrierBeforeReuse) __syncthreads();  // the tile is read: it may be overwritten
  }
  y[blockIdx.x * kThreads + thread] = total;
}

std::vector<float> run(void (*kernel)(const float*, float*)) {
  DeviceArray<float> x(counting(kBlocks * kTiles * kTile)), y(kBlocks * kThreads);
  simt::launch("pipeline", kBlocks, kThreads, 2 * kTileBytes, nullptr, kernel, x.get(), y.get());
  return y.values();
}

template <Mistake mistake>
void pipeline(Context& context) {
  append(context, run(pipelineKernel<mistake>));
}

std::vector<float> expected() {
  std::vector<float> y(kBlocks * kThreads);
  for (int block = 0; block < kBlocks; block++)
    for (int tile = 0; tile < kTiles; tile++)
      for (int i = 0; i < kTile; i++)
        y[static_cast<size_t>(block * kThreads + i % kThreads)] +=
            static_cast<float>((block * kTiles + tile) * kTile + kTile - 1 - i);
  return y;
}

// For seeds 1 to "seeds": how many gave a report, and how many a wrong result.
template <Mistake mistake>
void seeds(Context& context) {
  uint32_t reported = 0;
  uint32_t wrong = 0;
  for (int64_t seed = 1; seed <= context.number("seeds", 100); seed++) {
    simt::config().seed = static_cast<uint64_t>(seed);
    if (run(pipelineKernel<mistake>) != expected()) wrong++;
    if (simt::hasReports()) reported++;
    simt::clearReports();
  }
  append(context, std::vector<uint32_t>{reported, wrong});
}

// ---- zeros instead of what is not valid

template <int bytes>
__global__ void partialKernel(const uint32_t* x, uint32_t* y) {
  constexpr int kWords = bytes / 4;
  const int first = static_cast<int>(threadIdx.x) * kWords;
  auto* sX = sharedMemory<uint32_t>();
  const bool isValid = threadIdx.x % 3 != 0;
  if constexpr (bytes == 16)
    copyAsync16(sharedAddress(sX + first), isValid ? x + first : nullptr, isValid);
  else
    copyAsync<bytes>(sharedAddress(sX + first), isValid ? x + first : nullptr, isValid);
  commitCopies();
  waitCopies<0>();
  for (int i = 0; i < kWords; i++) y[first + i] = sX[first + i];
}

template <int bytes>
void partial(Context& context) {
  constexpr int kWords = kThreads * bytes / 4;
  std::vector<uint32_t> values(kWords);
  for (int i = 0; i < kWords; i++) values[static_cast<size_t>(i)] = static_cast<uint32_t>(i) + 1;
  DeviceArray<uint32_t> x(values), y(kWords);
  simt::launch("partial", 1, kThreads, kWords * sizeof(uint32_t), nullptr, partialKernel<bytes>, x.get(),
               y.get());
  append(context, y.values());
}

const Case correctCase{"pipeline/correct", pipeline<Mistake::none>};
const Case noWaitCase{"pipeline/no-wait", pipeline<Mistake::noWait>};
const Case weakWaitCase{"pipeline/weak-wait", pipeline<Mistake::weakWait>};
const Case noBarrierCase{"pipeline/no-barrier-after-wait", pipeline<Mistake::noBarrierAfterWait>};
const Case reuseCase{"pipeline/no-barrier-before-reuse", pipeline<Mistake::noBarrierBeforeReuse>};
const Case noCommitCase{"pipeline/no-commit", pipeline<Mistake::noCommit>};
const Case correctSeeds{"pipeline-seeds/correct", seeds<Mistake::none>};
const Case weakWaitSeeds{"pipeline-seeds/weak-wait", seeds<Mistake::weakWait>};
const Case reuseSeeds{"pipeline-seeds/no-barrier-before-reuse", seeds<Mistake::noBarrierBeforeReuse>};
const Case partial4{"copy-zero-fill/4", partial<4>};
const Case partial8{"copy-zero-fill/8", partial<8>};
const Case partial16{"copy-zero-fill/16", partial<16>};

}  // namespace

}  // namespace crossmap::cuda::test
