#include "runtime/profile.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace crossmap {

namespace {

int64_t coreTime() {
#ifdef CLOCK_THREAD_CPUTIME_ID
  timespec time{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0)
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
#endif
  return 0;
}

}  // namespace

void ProfiledTensors::add(const Tensor& tensor) {
  if (listed.size() < kMostListed) listed.push_back({tensor.dtype(), tensor.shape()});
  count++;
  bytes += tensor.bytes();
}

ProfileMoment Profile::now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count(), coreTime()};
}

void Profile::start(int64_t limit) {
  {
    const std::lock_guard lock(mutex_);
    events_.clear();
    limit_ = limit;
    dropped_ = 0;
    startedAt_ = now().wall;
    isOn_.store(true, std::memory_order_relaxed);
  }
  spans_.clear();
  lastCall_ = 0;
}

void Profile::stop() {
  while (!spans_.empty()) closeSpan(spans_.size() - 1);
  const std::lock_guard lock(mutex_);
  isOn_.store(false, std::memory_order_relaxed);
}

int64_t Profile::enter(std::string name) {
  if (!isOn()) return 0;
  spans_.push_back({++lastSpan_, std::move(name), now()});
  return lastSpan_;
}

void Profile::leave(int64_t span) {
  const auto found =
      std::find_if(spans_.begin(), spans_.end(), [=](const OpenSpan& each) { return each.number == span; });
  if (found != spans_.end()) closeSpan(static_cast<size_t>(found - spans_.begin()));
}

void Profile::closeSpan(size_t index) {
  const auto place = spans_.begin() + static_cast<std::ptrdiff_t>(index);
  OpenSpan span = std::move(*place);
  spans_.erase(place);
  std::string within = index == 0 ? std::string() : spans_[index - 1].name;
  record({ProfileKind::span, std::move(span.name), 0, span.begin, now(), std::move(within), nullptr});
}

const std::shared_ptr<ProfiledCall>& Profile::beginCall(const char* name) {
  callBegin_ = now();
  std::string within = spans_.empty() ? std::string() : spans_.back().name;
  call_ = std::make_shared<ProfiledCall>(ProfiledCall{++lastCall_, name, std::move(within), {}, {}});
  return call_;
}

void Profile::endCall() {
  std::shared_ptr<ProfiledCall> call = std::exchange(call_, nullptr);
  record({ProfileKind::call, call->name, 0, callBegin_, now(), {}, call});
}

void Profile::record(ProfileEvent event) {
  const std::lock_guard lock(mutex_);
  // The host learns from a task that its work is done before the task has ended.
  if (!isOn() || event.begin.wall < startedAt_) return;
  if (static_cast<int64_t>(events_.size()) >= limit_)
    dropped_++;
  else
    events_.push_back(std::move(event));
}

Profile::Taken Profile::take() {
  const std::lock_guard lock(mutex_);
  return {std::exchange(events_, {}), dropped_};
}

int64_t Profile::pending() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(events_.size());
}

}  // namespace crossmap
