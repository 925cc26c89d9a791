#include "runtime/cpu/cpu-device.h"

#include <cstring>
#include <memory>
#include <vector>

#include "runtime/profile.h"

namespace crossmap::cpu {

CpuDevice::CpuDevice(int threads, Isa isa, std::shared_ptr<Profile> profile)
    : isa_(isa),
      threads_(threads),
      profile_(std::move(profile)),
      pool_(std::make_unique<ThreadPool>(threads)),
      executor_([this] { execute(); }) {}

CpuDevice::~CpuDevice() { stop(); }

void CpuDevice::stop() {
  std::deque<Entry> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  if (!executor_.joinable()) return;
  if (executor_.get_id() == std::this_thread::get_id())
    executor_.detach();  // the last tensor went with a task: the thread ends right after it
  else
    executor_.join();
}

void CpuDevice::enqueueOp(const char* op, Task task) {
  push({op, std::move(task), leavesOutKernels_, profile_->isOn() ? profile_->call() : nullptr});
}

void CpuDevice::push(Entry entry) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(entry));
  }
  wake_.notify_one();
}

void CpuDevice::execute() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    running_ = true;
    lock.unlock();
    if (profile_->isOn())
      runProfiled(entry);
    else
      runEntry(entry);
    entry = {};
    lock.lock();
    running_ = false;
  }
}

void CpuDevice::runProfiled(Entry& entry) {
  const ProfiledTask task{*profile_, entry.op, entry.call};
  const ProfileMoment begin = Profile::now();
  ThreadPool* pool = pool_.get();
  pool->setTask(&task);
  runEntry(entry);
  // setThreads is a task that puts another pool in the place of this one.
  if (pool == pool_.get()) pool->setTask(nullptr);
  profile_->record(
      {ProfileKind::task, entry.op, kExecutorThread, begin, Profile::now(), {}, std::move(entry.call)});
}

void CpuDevice::runEntry(Entry& entry) {
  if (entry.isLeftOut) return;
  const auto keep = [&](ErrorCode code, const std::string& message) {
    if (!fault_) fault_.emplace(code, std::string(entry.op) + ": " + message);
  };
  try {
    Context context{*pool_};
    entry.task(context);
  } catch (const Error& error) {
    keep(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    keep(ErrorCode::outOfMemory, "working memory could not be allocated");
  } catch (const std::exception& error) {
    keep(ErrorCode::internal, error.what());
  }
}

void CpuDevice::setThreads(int threads) {
  if (threads == threads_) return;
  threads_ = threads;
  enqueue("setThreads", [=, this](Context&) { pool_ = std::make_unique<ThreadPool>(threads); });
}

std::optional<Error> CpuDevice::takeFault() {
  std::optional<Error> fault;
  fault.swap(fault_);
  return fault;
}

bool CpuDevice::isIdle() {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && !running_;
}

void* CpuDevice::upload(const void* from, int64_t bytes) {
  void* memory = allocate(bytes);
  if (bytes == 0) return memory;
  const auto size = static_cast<size_t>(bytes);
  if (isIdle()) {
    std::memcpy(memory, from, size);
    return memory;
  }
  // The memory may have been released by a tensor whose last op is still to run.
  const auto* first = static_cast<const char*>(from);
  auto staged = std::make_shared<std::vector<char>>(first, first + size);
  enqueue("copyIn", [=](Context&) { std::memcpy(memory, staged->data(), size); });
  return memory;
}

void CpuDevice::copyOut(void* to, const void* from, int64_t bytes, Completion done) {
  enqueue("copyOut", [=, this, done = std::move(done)](Context&) {
    if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
    done(takeFault());
  });
}

void CpuDevice::copyWithin(void* to, const void* from, int64_t bytes) {
  if (bytes == 0) return;
  enqueue("copy", [=](Context& context) {
    constexpr int64_t kChunk = int64_t{1} << 20;
    context.pool.parallelFor(bytes, kChunk, [&](int64_t begin, int64_t end) {
      std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin,
                  static_cast<size_t>(end - begin));
    });
  });
}

void CpuDevice::synchronize(Completion done) {
  enqueue("synchronize", [this, done = std::move(done)](Context&) { done(takeFault()); });
}

void CpuDevice::onceExecuted(std::function<void()> after) {
  enqueue("onceExecuted", [after = std::move(after)](Context&) { after(); });
}

void CpuDevice::emptyCache() {
  // What is cached now was released before: only ops that are already enqueued can use it.
  enqueue("emptyCache", [cached = allocator_.takeCached()](Context&) {});
}

CpuDevice& cpuOf(const Device& device) { return static_cast<CpuDevice&>(device.backend()); }

void enqueue(const Device& device, const char* op, Task task) {
  cpuOf(device).enqueueOp(op, std::move(task));
}

}  // namespace crossmap::cpu
