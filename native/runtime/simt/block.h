#pragma once
// A block that is executed: its threads as fibers, which of them can run, and where the others wait.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/simt/clock.h"
#include "runtime/simt/config.h"
#include "runtime/simt/copies.h"
#include "runtime/simt/grid.h"
#include "runtime/simt/profile.h"
#include "runtime/simt/shared-shadow.h"
#include "runtime/simt/thread-view.h"
#include "runtime/simt/turns.h"

namespace simt {

struct Block;
struct Warp;

// A line of a kernel.
struct Place {
  const char* file = "";
  int line = 0;
};

// At threadPlace() of the thread's own stack.
struct Thread {
  ThreadView view;
  void* stackPointer;
  Block* block;
  Warp* warp;
  uint32_t number, lane;  // within the block, within the warp
  Clock* known;           // what happened before, of each thread
  uint32_t time;          // its own
  const char* waitsFor;
  Place waitsAt;
};

// Lanes that meet at one instruction. The last to arrive executes it for all.
struct Meeting {
  using Execute = void (*)(Block&, Meeting&);
  uint32_t mask, arrived;
  Execute execute;
  void* arguments[32];
  const char* what;
  Place place;
};

struct Warp {
  static constexpr int kMostMeetings = 8;
  uint32_t ready, alive;
  uint32_t fresh;  // lanes that are ready and have no stack yet
  int meetingCount;
  Meeting meetings[kMostMeetings];
  uint32_t first;  // number of lane 0
};

struct Barrier {
  int arrived = 0;
  int expected = 0;  // 0: all threads of the block
  std::vector<Thread*> members;
  std::vector<bool> waits;
  Place place;
  int votes = 0;  // of __syncthreads_count and its like
  int result = 0;
};

// A thread that waits until so many blocks have passed a turn.
struct TurnWait {
  Thread* thread;
  const uint32_t* turn;
  uint32_t rank;
  Place place;
};

constexpr int kBarriers = 16;
constexpr int kMaxWarps = kMaxThreads / 32;

struct Block {
  Block();

  // Begins one block of the grid.
  void begin(const Grid& grid, uint64_t index);
  // Executes it until it ends or waits for its turn. Refused: the grid must stop.
  enum class State { ended, waits, refused };
  State proceed();
  // Of one that waits: whether a turn has come.
  bool canGoOn() const;
  // No block will pass the turn that this one waits for.
  void reportStuck();

  // One that has begun and not ended.
  Thread& thread(uint32_t number) { return *threads[number]; }
  uint3 threadIndex(uint32_t number) const;
  void wake(Thread& thread) {
    thread.warp->ready |= 1u << thread.lane;
    readyWarps |= 1u << (thread.number / 32);
  }
  // Runs others until this thread is woken.
  void suspend(Thread& me, const char* what, Place place);
  // Ends the block at once: the thread that calls never goes on, nor do the others.
  [[noreturn]] void abandon();
  // The thread has ended. Returns where another one shall begin on its stack, which is in the cache.
  void finish(Thread& me);

  // The threads know from now on what each of them knew.
  void join(Thread* const* members, int count);

  const Grid* grid = nullptr;
  uint3 index{};
  uint64_t linearIndex = 0;
  uint32_t serial = 0;  // in stamps of global memory; 0: not tracked
  int threadCount = 0, warpCount = 0, aliveCount = 0;
  bool checks = false, profiles = false, isAbandoned = false;
  uint32_t sharedBytes = 0;
  bool reusesStacks = true;  // of threads that have ended

  char* stacks;
  Thread* threads[kMaxThreads];
  char* arena;  // shared memory: an address there is an offset
  std::unique_ptr<Warp[]> warps;
  Barrier barriers[kBarriers];
  ClockPool clocks;
  SharedShadow shadow;
  std::vector<TurnWait> waits;
  bool takesTurns = false;                    // has waited or passed
  std::vector<Learnt> learnt;                 // in order of time
  std::shared_ptr<const PassedTimes> passed;  // by its last pass
  std::vector<CopyQueue> copies;              // by thread
  std::vector<AccessLog> logs;                // by thread
  Counts counts;
  Random random{0};

  // The allocation that an instruction last found its address in: most touch one tensor only.
  struct Span {
    uintptr_t begin = 0, end = 0;
    uint64_t generation = 0;
  };
  Span spans[256];

 private:
  static constexpr uint32_t kNone = ~0u;

  // The number of a thread that can run, and where it goes on.
  uint32_t next();
  void* resume(uint32_t number);
  Thread& begin(char* stack, uint32_t number);
  void wakeWhoseTurnHasCome();
  void reportDeadlock();

  void* scheduler = nullptr;
  Clock* origin = nullptr;
  std::vector<char*> freeStacks;
  uint32_t readyWarps = 0;
  uint32_t currentWarp = 0;
};

// The block that this thread of the system executes, else nothing.
extern thread_local Block* currentBlock __attribute__((tls_model("initial-exec")));

inline Thread& currentThread() {
  return *reinterpret_cast<Thread*>(threadPlace(stackAt(__builtin_frame_address(0))));
}

// Shared memory begins at a multiple of 1024 behind address 0, which is no address.
constexpr uint32_t kSharedBase = 1024;
constexpr uint32_t kArenaBytes = 256 << 10;

// "name: kind: block (0,0,0) thread (1,0,0): what", for the first of its kind at this place.
void reportAt(Thread& thread, const char* kind, uint64_t place, const std::string& what,
              bool isAddress = false);
void reportAt(Thread& thread, const char* kind, Place place, const std::string& what, bool isAddress = false);
// " at module+0x1234".
std::string instructionText(const void* instruction);

}  // namespace simt
