#pragma once
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>

namespace crossmap::cpu {

// The least of the indices that the threads of a loop note: which fault is reported must not depend on which
// thread came first.
class LeastIndex {
 public:
  void note(int64_t index) {
    int64_t least = least_.load(std::memory_order_relaxed);
    while (index < least && !least_.compare_exchange_weak(least, index, std::memory_order_relaxed)) {
    }
  }

  std::optional<int64_t> found() const {
    const int64_t least = least_.load(std::memory_order_relaxed);
    return least == kNone ? std::nullopt : std::optional(least);
  }

 private:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

  std::atomic<int64_t> least_{kNone};
};

}  // namespace crossmap::cpu
