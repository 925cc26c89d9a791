#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "runtime/cuda/event.h"

namespace crossmap::cuda {

// What is done once the device has come to a point, on a thread of its own: Node's thread never waits.
class Completions {
 public:
  // Called with the status of the work before the point.
  using Action = std::function<void(cudaError_t status)>;

  explicit Completions(EventPool& events) : events_(events), thread_([this] { run(); }) {}
  ~Completions() { stop(); }
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  // Does `action` once `event` has passed, after the actions before it. The event goes back to the pool.
  void post(cudaEvent_t event, Action action);
  // Drops what has not begun. No action is running or will run when this returns.
  void stop();

 private:
  struct Entry {
    cudaEvent_t event;
    Action action;
  };

  void run();

  EventPool& events_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> queue_;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_
  std::thread thread_;       // last: it uses all of the above
};

}  // namespace crossmap::cuda
