// Kernels whose threads, blocks or streams do not wait for each other, each beside its correct twin.
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

constexpr int kThreads = 64;
constexpr int kBlocks = 3;
constexpr int kCount = kThreads * kBlocks;
constexpr size_t kShared = kThreads * sizeof(float);

__device__ int thread() { return static_cast<int>(threadIdx.x); }
__device__ int threadOfGrid() { return static_cast<int>(blockIdx.x) * kThreads + thread(); }

template <bool broken>
__global__ void rotateKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  sValues[thread()] = static_cast<float>(thread());
  if (!broken) __syncthreads();  // all values are there
  y[threadOfGrid()] = sValues[(thread() + kThreads - 1) % kThreads];
}

template <bool broken>
void missingBarrier(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("rotate", kBlocks, kThreads, kShared, nullptr, rotateKernel<broken>, y.get());
  append(context, y.values());
}

template <bool broken>
__global__ void oneValueKernel(float* y) {
  auto* sValue = sharedMemory<float>();
  if (broken || thread() == 0) *sValue = static_cast<float>(thread());
  __syncthreads();  // the value is there
  y[threadOfGrid()] = *sValue;
}

template <bool broken>
void sharedRace(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("oneValue", kBlocks, kThreads, kShared, nullptr, oneValueKernel<broken>, y.get());
  append(context, y.values());
}

// The loop's second pass writes while others still read what the first one wrote.
template <bool broken>
__global__ void reuseKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  float total = 0;
  for (int pass = 0; pass < 3; pass++) {
    sValues[thread()] = static_cast<float>(pass);
    __syncthreads();  // all values of the pass are there
    total += sValues[kThreads - 1 - thread()];
    if (!broken) __syncthreads();  // all threads have read
  }
  y[threadOfGrid()] = total;
}

template <bool broken>
void bufferReuse(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("reuse", kBlocks, kThreads, kShared, nullptr, reuseKernel<broken>, y.get());
  append(context, y.values());
}

// Lanes of a warp exchange values as if they ran in step.
template <bool broken>
__global__ void inStepKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  sValues[thread()] = static_cast<float>(thread());
  if (!broken) __syncwarp();  // the warp's values are there
  y[threadOfGrid()] = sValues[thread() ^ 1];
}

template <bool broken>
void warpSynchronous(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("inStep", kBlocks, kThreads, kShared, nullptr, inStepKernel<broken>, y.get());
  append(context, y.values());
}

// __syncwarp orders the lanes of a warp, and no others.
template <bool broken>
__global__ void acrossWarpsKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  sValues[thread()] = static_cast<float>(thread());
  if (broken)
    __syncwarp();
  else
    __syncthreads();  // the other warp's values are there
  y[threadOfGrid()] = sValues[thread() ^ 32];
}

template <bool broken>
void weakBarrier(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("acrossWarps", kBlocks, kThreads, kShared, nullptr, acrossWarpsKernel<broken>, y.get());
  append(context, y.values());
}

// All blocks write the first element instead of their own.
template <bool broken>
__global__ void ownBlockKernel(float* y) {
  if (thread() == 0) y[broken ? 0 : blockIdx.x] = static_cast<float>(blockIdx.x);
}

template <bool broken>
void globalRace(Context& context) {
  DeviceArray<float> y(counting(kBlocks));
  simt::launch("ownBlock", kBlocks, kThreads, 0, nullptr, ownBlockKernel<broken>, y.get());
  append(context, y.values());
}

// A block reads what its neighbour writes in the same launch.
template <bool broken>
__global__ void neighbourKernel(float* x, float* y) {
  x[threadOfGrid()] = static_cast<float>(threadOfGrid());
  y[threadOfGrid()] = x[broken ? (threadOfGrid() + kCount - kThreads) % kCount : threadOfGrid()];
}

template <bool broken>
void neighbourBlock(Context& context) {
  DeviceArray<float> x(counting(kCount)), y(kCount);
  simt::launch("neighbour", kBlocks, kThreads, 0, nullptr, neighbourKernel<broken>, x.get(), y.get());
  append(context, y.values());
}

// Atomic operations of blocks are ordered; a plain sum is not.
template <bool broken>
__global__ void countKernel(unsigned* count) {
  if (broken)
    *count += 1;
  else
    atomicAdd(count, 1u);
}

template <bool broken>
void plainSum(Context& context) {
  DeviceArray<unsigned> count(std::vector<unsigned>{0});
  simt::launch("count", kBlocks, kThreads, 0, nullptr, countKernel<broken>, count.get());
  append(context, count.values());
}

template <bool broken>
__global__ void branchKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  sValues[thread()] = 1;
  if (broken && thread() < 32) {
    __syncthreads();
  } else {
    __syncthreads();  // all values are there
  }
  y[threadOfGrid()] = sValues[thread() ^ 32];
}

template <bool broken>
void divergentBarrier(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("branch", kBlocks, kThreads, kShared, nullptr, branchKernel<broken>, y.get());
  append(context, y.values());
}

// Half of the block ends before a barrier that the other half executes.
template <bool broken>
__global__ void earlyExitKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  sValues[thread()] = 1;
  if (broken && thread() >= 32) return;
  __syncthreads();  // all values are there
  y[threadOfGrid()] = sValues[thread()];
}

template <bool broken>
void earlyExit(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("earlyExit", kBlocks, kThreads, kShared, nullptr, earlyExitKernel<broken>, y.get());
  append(context, y.values());
}

template <bool broken>
__global__ void halvesKernel(float* y) {
  float value = static_cast<float>(thread());
  if (broken && laneIndex() < 16) {
    value = __shfl_xor_sync(kAllLanes, value, 1);
  } else {
    value = __shfl_xor_sync(kAllLanes, value, 1);
  }
  y[threadOfGrid()] = value;
}

template <bool broken>
void divergentShuffle(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("halves", kBlocks, kThreads, 0, nullptr, halvesKernel<broken>, y.get());
  append(context, y.values());
}

// Some lanes wait for their warp, and the others of that warp for the block.
template <bool broken>
__global__ void stuckKernel(float* y) {
  if (broken && thread() < 5) {
    __syncwarp();
  } else if (broken) {
    __syncthreads();
  }
  y[threadOfGrid()] = 1;
}

template <bool broken>
void deadlock(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("stuck", kBlocks, kThreads, 0, nullptr, stuckKernel<broken>, y.get());
  append(context, y.values());
}

// The first warp hands values to the second: it arrives, and the second waits.
template <bool broken>
__global__ void handOverKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  if (thread() < 32) {
    sValues[thread()] = static_cast<float>(thread());
    if (!broken) simt::barrierArrive(1, 64);
  } else {
    simt::barrierSync(1, 64);  // the first warp has written
    y[blockIdx.x * 32 + thread() - 32] = sValues[thread() - 32];
  }
}

template <bool broken>
void namedBarrier(Context& context) {
  DeviceArray<float> y(kBlocks * 32);
  simt::launch("handOver", kBlocks, kThreads, kShared, nullptr, handOverKernel<broken>, y.get());
  append(context, y.values());
}

// ---- streams

__global__ void doubleKernel(const float* x, float* y) { y[threadOfGrid()] = 2 * x[threadOfGrid()]; }

// One stream computes what another one reads.
template <bool broken>
void missingEventWait(Context& context) {
  DeviceArray<float> x(counting(kCount)), between(std::vector<float>(kCount, -1)), y(kCount);
  cudaStream_t first, second;
  cudaEvent_t done;
  cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking);
  cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking);
  cudaEventCreateWithFlags(&done, cudaEventDisableTiming);
  simt::launch("first", kBlocks, kThreads, 0, first, doubleKernel, x.get(), between.get());
  cudaEventRecord(done, first);
  if (!broken) cudaStreamWaitEvent(second, done, 0);
  simt::launch("second", kBlocks, kThreads, 0, second, doubleKernel, between.get(), y.get());
  cudaStreamSynchronize(second);
  append(context, y.values());
  cudaStreamDestroy(first);
  cudaStreamDestroy(second);
  cudaEventDestroy(done);
}

// A graph runs what was captured once at each launch.
void graph(Context& context) {
  DeviceArray<float> x(counting(kCount)), y(kCount);
  cudaStream_t stream;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  simt::launch("double", kBlocks, kThreads, 0, stream, doubleKernel, x.get(), y.get());
  cudaMemcpyAsync(x.get(), y.get(), kCount * sizeof(float), cudaMemcpyDeviceToDevice, stream);
  cudaGraph_t captured;
  cudaStreamEndCapture(stream, &captured);
  cudaGraphExec_t ready;
  cudaGraphInstantiate(&ready, captured, 0);
  cudaGraphDestroy(captured);
  for (int i = 0; i < 3; i++) cudaGraphLaunch(ready, stream);
  cudaStreamSynchronize(stream);
  cudaGraphExecDestroy(ready);
  cudaStreamDestroy(stream);
  append(context, x.values());
}

SIMT_TWINS("missing-barrier", missingBarrier)
SIMT_TWINS("shared-race", sharedRace)
SIMT_TWINS("buffer-reuse", bufferReuse)
SIMT_TWINS("warp-synchronous", warpSynchronous)
SIMT_TWINS("weak-barrier", weakBarrier)
SIMT_TWINS("global-race", globalRace)
SIMT_TWINS("neighbour-block", neighbourBlock)
SIMT_TWINS("plain-sum", plainSum)
SIMT_TWINS("divergent-barrier", divergentBarrier)
SIMT_TWINS("early-exit", earlyExit)
SIMT_TWINS("divergent-shuffle", divergentShuffle)
SIMT_TWINS("deadlock", deadlock)
SIMT_TWINS("named-barrier", namedBarrier)
SIMT_TWINS("missing-event-wait", missingEventWait)
const Case graphCase{"graph", graph};

}  // namespace

}  // namespace crossmap::cuda::test
