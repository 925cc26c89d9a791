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

namespace crossmap {
class Profile;
struct ProfiledCall;
}  // namespace crossmap

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
  // What the executor and the pool do goes into `profile` while that is on.
  CpuDevice(int threads, Isa isa, std::shared_ptr<Profile> profile);
  ~CpuDevice() override;

  DeviceKind kind() const override { return DeviceKind::cpu; }
  Isa isa() const { return isa_; }
  int threads() const { return threads_; }
  // Takes effect for the ops enqueued from now on.
  void setThreads(int threads);
  // Whether ops enqueued from now on are taken from the queue and not run: what they cost the host is left.
  // Their outputs hold what the memory held.
  void leaveOutKernels(bool on) { leavesOutKernels_ = on; }

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

  // Enqueues the work of an op. An Error that it throws becomes the fault that the next synchronisation
  // reports, with the op's name in front.
  void enqueueOp(const char* op, Task task);

 private:
  struct Entry {
    const char* op;
    Task task;
    bool isLeftOut = false;
    std::shared_ptr<const ProfiledCall> call;  // of an op, where it is profiled
  };

  // The same for work that is no op's.
  void enqueue(const char* op, Task task) { push({op, std::move(task), false, nullptr}); }
  void push(Entry entry);
  void execute();
  void runProfiled(Entry& entry);
  void runEntry(Entry& entry);
  std::optional<Error> takeFault();
  bool isIdle();

  const Isa isa_;
  int threads_;
  bool leavesOutKernels_ = false;  // touched by the host's thread alone
  const std::shared_ptr<Profile> profile_;
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
