#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/dtype.h"
#include "runtime/shape.h"
#include "runtime/tensor.h"

namespace crossmap {

// Who was at work in an event.
enum class ProfileKind {
  span,   // the host, on what a caller of `enter` named
  call,   // the host, in a call of an op: arguments checked, outputs allocated, work enqueued
  task,   // the executor, on what an op or a copy had enqueued
  share,  // a thread of the pool, on its part of a task
};

constexpr auto enumNames(ProfileKind) {
  using namespace std::string_view_literals;
  return std::array{"span"sv, "call"sv, "task"sv, "share"sv};
}

// The tensors on one side of an op.
struct ProfiledTensors {
  struct Each {
    DType dtype;
    Shape shape;
  };
  static constexpr size_t kMostListed = 16;  // an optimizer has hundreds

  std::vector<Each> listed;
  int64_t count = 0;  // with those that are not listed
  int64_t bytes = 0;  // of all

  void add(const Tensor& tensor);
};

// A call of an op. The host's thread alone reads and writes it; others hold it.
struct ProfiledCall {
  int64_t number;  // from 1
  std::string name;
  std::string within;  // the innermost span of the host, empty without
  ProfiledTensors inputs;
  ProfiledTensors outputs;
};

// In nanoseconds.
struct ProfileMoment {
  int64_t wall;  // of a clock that all threads share
  int64_t core;  // for which the calling thread has had a core so far; 0 where the system does not tell
};

struct ProfileEvent {
  ProfileKind kind;
  std::string name;
  int thread;  // 0 is the host's, 1 the executor, from 2 on the pool's others
  ProfileMoment begin;
  ProfileMoment end;                         // of the same thread
  std::string within;                        // of a span: the one around it
  std::shared_ptr<const ProfiledCall> call;  // nothing for spans, and for tasks that no op enqueued
};

class Profile;

// A task while it runs.
struct ProfiledTask {
  Profile& profile;
  const char* name;
  std::shared_ptr<const ProfiledCall> call;
};

// What the threads of an environment do, and when. Off until it is started: then every place that could
// record asks `isOn` and does nothing else. Memory is bounded: events beyond a limit are counted and dropped.
//
// `record` may be called from any thread, all else from the host's.
class Profile {
 public:
  static ProfileMoment now();

  bool isOn() const { return isOn_.load(std::memory_order_relaxed); }
  // Forgets what an earlier recording has left.
  void start(int64_t limit);
  // Spans that are open end here.
  void stop();
  // On the wall.
  int64_t startedAt() const { return startedAt_; }

  // Opens a span of the host inside those that are open; `leave` takes the number that it returns. A span
  // that is not open is left without effect: it was opened before the start.
  int64_t enter(std::string name);
  void leave(int64_t span);

  // From here to endCall what is enqueued belongs to this call.
  const std::shared_ptr<ProfiledCall>& beginCall(const char* name);
  void endCall();
  const std::shared_ptr<ProfiledCall>& call() const { return call_; }

  // What has begun before the start, or ends after the stop, is left out.
  void record(ProfileEvent event);

  struct Taken {
    std::vector<ProfileEvent> events;  // in the order of their ends
    int64_t dropped;                   // since the start
  };
  // The events so far, which the profile gives up.
  Taken take();
  int64_t pending() const;

 private:
  struct OpenSpan {
    int64_t number;
    std::string name;
    ProfileMoment begin;
  };

  void closeSpan(size_t index);

  std::atomic<bool> isOn_ = false;
  int64_t startedAt_ = 0;        // written under mutex_, by the host
  std::vector<OpenSpan> spans_;  // the innermost last
  int64_t lastSpan_ = 0;
  std::shared_ptr<ProfiledCall> call_;
  ProfileMoment callBegin_{};
  int64_t lastCall_ = 0;
  mutable std::mutex mutex_;
  std::vector<ProfileEvent> events_;  // guarded by mutex_, like all below
  int64_t limit_ = 0;
  int64_t dropped_ = 0;
};

}  // namespace crossmap
