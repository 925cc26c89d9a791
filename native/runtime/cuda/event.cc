#include "runtime/cuda/event.h"

namespace crossmap::cuda {

EventPool::~EventPool() {
  for (cudaEvent_t each : free_) cudaEventDestroy(each);
}

cudaEvent_t EventPool::record(cudaStream_t stream, cudaError_t& status) {
  cudaEvent_t event = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      event = free_.back();
      free_.pop_back();
    }
  }
  status = cudaSuccess;
  // Blocking: a thread that waits for a step must not take a core from those that prepare the next.
  if (!event) status = cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync);
  if (status == cudaSuccess) status = cudaEventRecord(event, stream);
  return event;
}

void EventPool::giveBack(cudaEvent_t event) {
  if (!event) return;
  const std::lock_guard lock(mutex_);
  free_.push_back(event);
}

Timeline::~Timeline() {
  while (!marks_.empty()) passFirst();
}

void Timeline::passFirst() {
  done_ = marks_.front().ticket;
  events_.giveBack(marks_.front().event);
  marks_.pop_front();
}

cudaError_t Timeline::mark() {
  cudaError_t status;
  const cudaEvent_t event = events_.record(stream_, status);
  marks_.push_back({++last_, event});
  return status;
}

int64_t Timeline::done() {
  // The latest is kept: it may still be asked for.
  while (marks_.size() > 1 && cudaEventQuery(marks_.front().event) == cudaSuccess) passFirst();
  if (marks_.size() == 1 && cudaEventQuery(marks_.front().event) == cudaSuccess)
    done_ = marks_.front().ticket;
  return done_;
}

cudaError_t Timeline::wait(int64_t ticket) {
  for (const Mark& each : marks_)
    if (each.ticket == ticket) return cudaEventSynchronize(each.event);
  return cudaSuccess;  // seen to have passed
}

}  // namespace crossmap::cuda
