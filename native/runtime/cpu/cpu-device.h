#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "runtime/cpu/isa.h"
#include "runtime/cpu/system-memory.h"
#include "runtime/cpu/thread-pool.h"
#include "runtime/device.h"
#include "runtime/tensor.h"

namespace crossmap::cpu {

// What a kernel needs to run: handed to it on the executor thread.
struct Context {
  ThreadPool& pool;
};

using Task = std::function<void(Context&)>;

// The processor as a device: one executor thread takes tasks in order and shares each among a pool of
// threads.
class CpuDevice : public Backend {
 public:
  CpuDevice(int threads, Isa isa);
  ~CpuDevice() override;

  DeviceKind kind() const override { return DeviceKind::cpu; }
  Isa isa() const { return isa_; }
  int threads() const { return threads_; }
  // Takes effect for the ops enqueued from now on.
  void setThreads(int threads);

  void* allocate(int64_t bytes) override { return allocator_.allocate(bytes); }
  void release(void* memory) override { allocator_.release(memory); }
  MemoryUse memoryUse() const override { return allocator_.use(); }
  void resetPeak() override { allocator_.resetPeak(); }
  void emptyCache() override;

  void* upload(const void* from, int64_t bytes) override;
  void copyOut(void* to, const void* from, int64_t bytes, Completion done) override;
  void copyWithin(void* to, const void* from, int64_t bytes) override;
  void synchronize(Completion done) override;
  void onceExecuted(std::function<void()> after) override;
  void stop() override;

  // Enqueues a task. An Error that it throws becomes the fault that the next synchronisation reports, with
  // the op's name in front.
  void enqueue(const char* op, Task task);

 private:
  struct Entry {
    const char* op;
    Task task;
  };

  void execute();
  void runEntry(Entry& entry);
  std::optional<Error> takeFault();
  bool isIdle();

  const Isa isa_;
  int threads_;
  SystemMemory memory_;
  CachingAllocator allocator_{memory_, kMemoryPolicy};
  std::unique_ptr<ThreadPool> pool_;  // touched by the executor thread alone
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> queue_;     // guarded by mutex_
  bool running_ = false;        // a task is being executed; guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
  std::optional<Error> fault_;  // touched by the executor thread alone
  std::thread executor_;        // last: it uses all of the above
};

CpuDevice& cpuOf(const Device& device);

// Enqueues the work of an op: `task` captures pointers and sizes, never tensors, since memory is ordered like
// the work and a tensor in a task would keep it from the ops that come after.
void enqueue(const Device& device, const char* op, Task task);

}  // namespace crossmap::cpu
