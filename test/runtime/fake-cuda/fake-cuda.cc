#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "cuda_runtime.h"

struct FakeEvent {
  int recorded = 0;  // times that it was recorded
  int passed = 0;    // times of these that were reached
};

struct FakeGraph {
  std::vector<std::function<cudaError_t()>> work;
};

struct FakeStream {
  FakeGraph* capture = nullptr;
  std::deque<std::function<cudaError_t()>> queue;
  bool running = false;
  bool ending = false;
  std::thread thread;
};

namespace {

std::mutex mutex;
std::condition_variable changed;
cudaError_t state = cudaSuccess;  // of the device: stays where it is an error
cudaError_t last = cudaSuccess;   // of the last call that failed
std::map<void*, size_t> taken;
size_t capacity = size_t{1} << 30;
size_t takenBytes = 0;
std::atomic<int> copies[4];

cudaError_t note(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last = error;
  return error;
}

void run(FakeStream* stream) {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return stream->ending || !stream->queue.empty(); });
    if (stream->queue.empty()) return;
    const auto work = std::move(stream->queue.front());
    stream->queue.pop_front();
    stream->running = true;
    const bool isAlive = state == cudaSuccess;
    lock.unlock();
    const cudaError_t result = isAlive ? work() : cudaSuccess;
    lock.lock();
    if (state == cudaSuccess) state = result;
    stream->running = false;
    changed.notify_all();
  }
}

}  // namespace

cudaError_t fakeEnqueue(cudaStream_t stream, std::function<cudaError_t()> work) {
  const std::lock_guard lock(mutex);
  if (state != cudaSuccess) return note(state);
  if (stream->capture) {
    stream->capture->work.push_back(std::move(work));
    return cudaSuccess;
  }
  stream->queue.push_back(std::move(work));
  changed.notify_all();
  return cudaSuccess;
}

void fakeCapacity(size_t bytes) {
  const std::lock_guard lock(mutex);
  capacity = bytes;
}
void fakeBreak() {
  const std::lock_guard lock(mutex);
  state = cudaErrorIllegalAddress;
}
size_t fakeTaken() {
  const std::lock_guard lock(mutex);
  return takenBytes;
}
int fakeCopiesDone(cudaMemcpyKind kind) { return copies[kind]; }

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    default:
      return "no error";
  }
}

cudaError_t cudaGetLastError() {
  const std::lock_guard lock(mutex);
  return state != cudaSuccess ? state : std::exchange(last, cudaSuccess);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"fake", capacity, 163 * 1024, 8, 0, 4};
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const std::lock_guard lock(mutex);
  *free = capacity - takenBytes;
  *total = capacity;
  return state;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const std::lock_guard lock(mutex);
  if (state != cudaSuccess) return note(state);
  if (takenBytes + bytes > capacity) return note(cudaErrorMemoryAllocation);
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  taken[*memory] = bytes;
  takenBytes += bytes;
  return cudaSuccess;
}

// As CUDA's: waits for all work of the device.
cudaError_t cudaFree(void* memory) {
  std::unique_lock lock(mutex);
  const auto node = taken.extract(memory);
  if (node.empty()) std::abort();
  takenBytes -= node.mapped();
  std::free(memory);
  return state;
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  *memory = std::malloc(bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return fakeEnqueue(stream, [=] {
    std::memcpy(to, from, bytes);
    copies[kind]++;
    return cudaSuccess;
  });
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return fakeEnqueue(stream, [=] {
    std::memset(to, value, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new FakeStream;
  (*stream)->thread = std::thread(run, *stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  {
    const std::lock_guard lock(mutex);
    stream->ending = true;
    changed.notify_all();
  }
  stream->thread.join();
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return stream->queue.empty() && !stream->running; });
  return note(state);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  if (state != cudaSuccess) return note(state);
  return stream->queue.empty() && !stream->running ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  std::unique_lock lock(mutex);
  const int wanted = event->recorded;
  lock.unlock();
  return fakeEnqueue(stream, [=] {
    std::unique_lock waiting(mutex);
    changed.wait(waiting, [&] { return event->passed >= wanted; });
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new FakeEvent;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  {
    const std::lock_guard lock(mutex);
    event->recorded++;
  }
  return fakeEnqueue(stream, [=] {
    const std::lock_guard lock(mutex);
    event->passed++;
    return cudaSuccess;
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const std::lock_guard lock(mutex);
  if (state != cudaSuccess) return note(state);
  return event->passed == event->recorded ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return state != cudaSuccess || event->passed == event->recorded; });
  return note(state);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const std::lock_guard lock(mutex);
  stream->capture = new FakeGraph;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(mutex);
  *graph = std::exchange(stream->capture, nullptr);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* launchable, cudaGraph_t graph, unsigned long long) {
  *launchable = new FakeGraph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t launchable, cudaStream_t stream) {
  for (const auto& each : launchable->work)
    if (const cudaError_t status = fakeEnqueue(stream, each); status != cudaSuccess) return status;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t launchable) {
  delete launchable;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
