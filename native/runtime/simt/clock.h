#pragma once
// Which accesses are ordered: each thread has a time, and knows how far of each other thread's time lies
// before it.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace simt {

constexpr int kMaxThreads = 1024;

// A time of a thread in 32 bits: 0 is none.
using Stamp = uint32_t;
constexpr uint32_t kTimeBits = 21;
constexpr uint32_t kTimeMask = (1u << kTimeBits) - 1;
constexpr Stamp stampOf(uint32_t thread, uint32_t time) {
  return (thread + 1) << kTimeBits | (time & kTimeMask);
}
constexpr uint32_t threadOf(Stamp stamp) { return (stamp >> kTimeBits) - 1; }

// Shared by the threads that met last.
struct Clock {
  int users;
  uint32_t times[kMaxThreads];
};

// Whether what has the stamp lies before the thread's present.
inline bool isBefore(Stamp stamp, uint32_t thread, const Clock& known) {
  const uint32_t other = threadOf(stamp);
  return other == thread || (stamp & kTimeMask) <= known.times[other];
}

class ClockPool {
 public:
  Clock* zero(int threads) {
    Clock* clock = take();
    std::memset(clock->times, 0, sizeof(uint32_t) * static_cast<size_t>(threads));
    return clock;
  }
  Clock* copy(const Clock& from, int threads) {
    Clock* clock = take();
    std::memcpy(clock->times, from.times, sizeof(uint32_t) * static_cast<size_t>(threads));
    return clock;
  }
  void drop(Clock* clock) {
    if (--clock->users == 0) free_.push_back(clock);
  }
  // All clocks are free again.
  void clear() {
    free_.clear();
    for (const auto& each : all_) free_.push_back(each.get());
  }

 private:
  Clock* take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<Clock>());
      free_.push_back(all_.back().get());
    }
    Clock* clock = free_.back();
    free_.pop_back();
    clock->users = 1;
    return clock;
  }

  std::vector<std::unique_ptr<Clock>> all_;
  std::vector<Clock*> free_;
};

inline void advance(Clock& clock, const Clock& other, int threads) {
  for (int t = 0; t < threads; t++) clock.times[t] = std::max(clock.times[t], other.times[t]);
}

}  // namespace simt
