#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// Events that are used again: making one takes longer than most launches. Thread-safe.
class EventPool {
 public:
  EventPool() = default;
  ~EventPool();
  EventPool(const EventPool&) = delete;
  EventPool& operator=(const EventPool&) = delete;

  // An event that is recorded on the stream now. `status` is that of the device.
  cudaEvent_t record(cudaStream_t stream, cudaError_t& status);
  // Nobody waits for the event any more.
  void giveBack(cudaEvent_t event);

 private:
  std::mutex mutex_;
  std::vector<cudaEvent_t> free_;
};

// How far a stream has come, in tickets: the work before each mark. Used by one thread.
class Timeline {
 public:
  Timeline(EventPool& events, cudaStream_t stream) : events_(events), stream_(stream) {}
  ~Timeline();
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  // The ticket of the next mark: work that is enqueued now is done when that is.
  int64_t next() const { return last_ + 1; }
  // Marks where the stream is now.
  cudaError_t mark();
  // The event of the latest mark.
  cudaEvent_t latest() const { return marks_.back().event; }
  // The largest ticket whose mark the stream has passed.
  int64_t done();
  // Waits until the stream has passed the ticket.
  cudaError_t wait(int64_t ticket);

 private:
  struct Mark {
    int64_t ticket;
    cudaEvent_t event;
  };

  void passFirst();

  EventPool& events_;
  cudaStream_t stream_;
  std::deque<Mark> marks_;  // that were not seen to have passed
  int64_t last_ = 0;
  int64_t done_ = 0;
};

}  // namespace crossmap::cuda
