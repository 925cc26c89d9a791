#pragma once
// Blocks of one launch that wait for each other (runtime/cuda/device/ordered.cuh): who may go on, and what
// lies before what. Whoever passes a turn hands on all that it knows, and whoever has waited for one knows it
// too.
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/simt/clock.h"

namespace simt {

struct Block;
struct Thread;

// What lies before a pass: the time of each thread of the block that passed.
struct PassedTimes {
  uint32_t number;  // of the block's passes
  std::vector<uint32_t> times;
};

// By serial of a block: of its passes, the last one that lies before.
using KnownPasses = std::unordered_map<uint32_t, std::shared_ptr<const PassedTimes>>;

// What a thread has learnt by waiting, at its time.
struct Learnt {
  Stamp at;
  std::shared_ptr<const KnownPasses> passes;
};

// Whether what the block `serial` did at that time of one of its threads lies before the thread's present. No
// stamp: it did so before it ever waited or passed, which each of its passes covers.
bool isKnown(const Thread& me, uint32_t serial, Stamp stamp);

// The turns of one launch, and the workers that execute its blocks.
class Turns {
 public:
  explicit Turns(int workers) : active_(workers) {}

  void pass(Thread& me, uint32_t* turn);
  // After the turn has come.
  void learn(Thread& me, const uint32_t* turn);

  // Until one of the blocks that a worker holds can go on. False where the launch must stop: another block
  // was refused, or no worker has a block that can.
  template <typename CanGoOn>
  bool await(CanGoOn&& canGoOn) {
    std::unique_lock lock(mutex_);
    if (isStopped_ || canGoOn()) return !isStopped_;
    if (++idle_ == active_) {
      stopLocked(true);
      return false;
    }
    wake_.wait(lock, [this, seen = passes_] { return passes_ != seen || isStopped_; });
    return !isStopped_;
  }
  // A worker has no blocks any more.
  void leave();
  // The others stop, too.
  void stop();
  bool isStopped();
  // Whether it stopped since all blocks wait.
  bool isStuck();

 private:
  void stopLocked(bool isStuck);

  std::mutex mutex_;
  std::condition_variable wake_;
  int active_;    // workers that have blocks
  int idle_ = 0;  // of these, those that have waited since the last pass
  uint64_t passes_ = 0;
  bool isStopped_ = false;
  bool isStuck_ = false;
  std::unordered_map<const uint32_t*, std::shared_ptr<const KnownPasses>> handedOn_;  // by turn
};

}  // namespace simt
