#include "runtime/cuda/completions.h"

namespace crossmap::cuda {

void Completions::post(cudaEvent_t event, Action action) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return events_.giveBack(event);
    queue_.push_back({event, std::move(action)});
  }
  wake_.notify_one();
}

void Completions::stop() {
  std::deque<Entry> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (const Entry& each : dropped) events_.giveBack(each.event);
}

void Completions::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const cudaError_t status = cudaEventSynchronize(entry.event);
    events_.giveBack(entry.event);
    entry.action(status);
    entry = {};
    lock.lock();
  }
}

}  // namespace crossmap::cuda
