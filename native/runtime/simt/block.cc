#include "runtime/simt/block.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdio>
#include <new>

#include "runtime/simt/barrier.h"
#include "runtime/simt/report.h"
#include "runtime/simt/warp.h"

namespace simt {

thread_local Block* currentBlock = nullptr;

namespace {

// The first function on a stack: threads begin here until one has to wait.
void runThreads() {
  for (;;) {
    Thread& me = currentThread();
    Block& block = *me.block;
    block.grid->call(block.grid->arguments);
    block.finish(me);
  }
}

std::string indexText(const uint3& index) {
  return "(" + std::to_string(index.x) + "," + std::to_string(index.y) + "," + std::to_string(index.z) + ")";
}

uint3 unravel(uint64_t linear, const dim3& size) {
  return {static_cast<unsigned>(linear % size.x), static_cast<unsigned>(linear / size.x % size.y),
          static_cast<unsigned>(linear / size.x / size.y)};
}

uint3 asIndex(const dim3& size) { return {size.x, size.y, size.z}; }

}  // namespace

Block::Block()
    : stacks(mapStacks(kMaxThreads)),
      warps(std::make_unique<Warp[]>(kMaxWarps)),
      copies(kMaxThreads),
      logs(kMaxThreads) {
  void* memory =
      mmap(nullptr, size_t{kArenaBytes} * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  arena = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory) + kArenaBytes - 1) &
                                  ~uintptr_t{kArenaBytes - 1});
}

uint3 Block::threadIndex(uint32_t number) const {
  if (grid->threads.x == grid->threadCount()) return {number, 0, 0};
  return unravel(number, grid->threads);
}

Thread& Block::begin(char* stack, uint32_t number) {
  Thread& thread = *reinterpret_cast<Thread*>(threadPlace(stack));
  threads[number] = &thread;
  thread.view = {threadIndex(number), index, asIndex(grid->threads), asIndex(grid->blocks)};
  thread.block = this;
  thread.warp = &warps[number / 32];
  thread.number = number;
  thread.lane = number % 32;
  thread.known = origin;
  if (origin) origin->users++;
  thread.time = 1;
  thread.waitsFor = "its start";
  thread.waitsAt = {};
  thread.warp->fresh &= ~(1u << thread.lane);
  copies[number].clear();
  return thread;
}

void Block::begin(const Grid& launched, uint64_t linear) {
  grid = &launched;
  linearIndex = linear;
  index = unravel(linear, launched.blocks);
  serial = launched.firstSerial ? launched.firstSerial + static_cast<uint32_t>(linear) : 0;
  threadCount = aliveCount = static_cast<int>(launched.threadCount());
  warpCount = (threadCount + 31) / 32;
  checks = launched.checks;
  profiles = launched.profiles;
  isAbandoned = false;
  readyWarps = currentWarp = 0;
  sharedBytes = static_cast<uint32_t>(launched.sharedBytes);
  if (launched.seed) random = Random(launched.seed * 0x10001 + linear);
  for (Barrier& each : barriers) resetBarrier(each);
  if (checks) {
    shadow.clear(kSharedBase + sharedBytes);
    std::memset(arena + kSharedBase, 0xff, sharedBytes);
  }
  for (int w = 0; w < warpCount; w++) {
    const int lanes = std::min(32, threadCount - w * 32);
    warps[w].alive = lanes == 32 ? ~0u : (1u << lanes) - 1;
    warps[w].ready = warps[w].fresh = warps[w].alive;
    warps[w].meetingCount = 0;
    warps[w].first = static_cast<uint32_t>(w) * 32;
    readyWarps |= 1u << w;
  }
  clocks.clear();
  origin = checks ? clocks.zero(threadCount) : nullptr;  // keeps one user: this block
  freeStacks.clear();
  for (int i = threadCount; i-- > 0;) freeStacks.push_back(stacks + kStackBytes * static_cast<size_t>(i));
  std::fill_n(threads, threadCount, nullptr);
  reusesStacks = true;
  waits.clear();
  takesTurns = false;
  learnt.clear();
  passed = nullptr;
  counts.threads += threadCount;
  counts.blocks++;
}

Block::State Block::proceed() {
  currentBlock = this;
  wakeWhoseTurnHasCome();
  simtSwitch(&scheduler, resume(next()));
  const bool isBlocked = aliveCount > 0 && !isAbandoned;
  if (isBlocked && waits.empty()) reportDeadlock();
  currentBlock = nullptr;
  if (isBlocked && !waits.empty()) return State::waits;
  if (profiles)
    for (int w = 0; w < warpCount; w++) countAccesses(*this, warps[w]);
  return isAbandoned ? State::refused : State::ended;
}

// The lanes of one warp run until all of them wait: their 32 stacks stay in the cache.
uint32_t Block::next() {
  if (!warps[currentWarp].ready || (grid->seed && random.below(8) == 0)) {
    if (!warps[currentWarp].ready) readyWarps &= ~(1u << currentWarp);
    if (!readyWarps) return kNone;
    if (grid->seed) {
      const auto turn = static_cast<uint32_t>(random.below(32));
      const uint32_t turned = readyWarps >> turn | readyWarps << (31 - turn) << 1;
      currentWarp = (static_cast<uint32_t>(__builtin_ctz(turned)) + turn) % 32;
    } else {
      const uint32_t later = readyWarps & ~((2u << currentWarp) - 1);
      currentWarp = static_cast<uint32_t>(__builtin_ctz(later ? later : readyWarps));
    }
  }
  uint32_t& ready = warps[currentWarp].ready;
  auto lane = static_cast<uint32_t>(__builtin_ctz(ready));
  if (grid->seed) {
    const auto turn = static_cast<uint32_t>(random.below(32));
    lane = (static_cast<uint32_t>(__builtin_ctz(ready >> turn | ready << (31 - turn) << 1)) + turn) % 32;
  }
  ready &= ~(1u << lane);
  return currentWarp * 32 + lane;
}

void* Block::resume(uint32_t number) {
  if (number == kNone) return scheduler;
  counts.switches++;
  if (!(warps[number / 32].fresh >> number % 32 & 1)) return threads[number]->stackPointer;
  char* stack = freeStacks.back();
  freeStacks.pop_back();
  return startStack(reinterpret_cast<char*>(&begin(stack, number)), runThreads);
}

void Block::suspend(Thread& me, const char* what, Place place) {
  me.waitsFor = what;
  me.waitsAt = place;
  simtSwitch(&me.stackPointer, resume(next()));
}

void Block::abandon() {
  isAbandoned = true;
  simtSwitch(&currentThread().stackPointer, scheduler);
  __builtin_unreachable();
}

void Block::finish(Thread& me) {
  CopyQueue& mine = copies[me.number];
  if (mine.firstCopy < mine.copies.size())
    reportAt(me, "copy not waited for", reinterpret_cast<uintptr_t>(mine.copies[mine.firstCopy].instruction),
             "the thread ends while its asynchronous copy to shared byte " +
                 std::to_string(mine.copies[mine.firstCopy].to - kSharedBase) + " is in flight");
  const uint32_t number = me.number;
  aliveCount--;
  me.warp->alive &= ~(1u << me.lane);
  finishMeetings(*this, *me.warp);
  finishBarriers(*this);
  char* stack = stackAt(&me);
  if (checks && reusesStacks) clocks.drop(me.known);
  if (reusesStacks) threads[number] = nullptr;
  const uint32_t other = next();
  const bool isFresh = other != kNone && (warps[other / 32].fresh >> other % 32 & 1);
  if (isFresh && reusesStacks) {
    begin(stack, other);
    return;
  }
  if (reusesStacks) freeStacks.push_back(stack);
  simtSwitch(&me.stackPointer, resume(other));
}

void Block::join(Thread* const* members, int count) {
  if (!checks || count == 0) return;
  Clock* all = clocks.copy(*members[0]->known, threadCount);
  const Clock* last = members[0]->known;
  for (int i = 1; i < count; i++) {
    if (members[i]->known == last) continue;
    last = members[i]->known;
    advance(*all, *last, threadCount);
  }
  for (int i = 0; i < count; i++) {
    uint32_t& time = all->times[members[i]->number];
    time = std::max(time, members[i]->time++);
  }
  all->users = count;
  for (int i = 0; i < count; i++) {
    clocks.drop(members[i]->known);
    members[i]->known = all;
  }
}

void Block::reportDeadlock() {
  isAbandoned = true;
  std::string text = std::to_string(aliveCount) + " threads wait for ever:";
  std::vector<std::pair<const Thread*, int>> groups;  // one thread of each place, and how many are there
  for (int number = 0; number < threadCount; number++) {
    const uint32_t lane = static_cast<uint32_t>(number) % 32;
    if (!(warps[number / 32].alive >> lane & 1)) continue;
    const Thread& each = thread(static_cast<uint32_t>(number));
    bool isKnown = false;
    for (auto& [first, count] : groups) {
      if (first->waitsFor != each.waitsFor || first->waitsAt.line != each.waitsAt.line) continue;
      count++;
      isKnown = true;
      break;
    }
    if (!isKnown) groups.push_back({&each, 1});
  }
  for (const auto& [first, count] : groups)
    text += " " + std::to_string(count) + " at " + first->waitsFor + " in line " +
            std::to_string(first->waitsAt.line) + ", the first of them thread " +
            indexText(first->view.thread) + ";";
  text.pop_back();
  Thread& any = thread(groups.front().first->number);
  reportAt(any, "deadlock", any.waitsAt, text);
}

// ---- reports

std::string instructionText(const void* instruction) {
  Dl_info info;
  if (!instruction || !dladdr(instruction, &info) || !info.dli_fname) return "";
  const char* name = std::strrchr(info.dli_fname, '/');
  char text[128];
  std::snprintf(
      text, sizeof text, " [%s+0x%zx]", name ? name + 1 : info.dli_fname,
      static_cast<size_t>(static_cast<const char*>(instruction) - static_cast<const char*>(info.dli_fbase)));
  return text;
}

void reportAt(Thread& thread, const char* kind, uint64_t place, const std::string& what, bool isAddress) {
  const std::string& kernel = thread.block->grid->kernel;
  if (isReported(kernel, kind, place)) return;
  addReport({kind, kernel,
             kernel + ": " + kind + ": block " + indexText(thread.view.block) + " thread " +
                 indexText(thread.view.thread) + ": " + what,
             isAddress});
}

void reportAt(Thread& thread, const char* kind, Place place, const std::string& what, bool isAddress) {
  const char* name = std::strrchr(place.file, '/');
  reportAt(thread, kind, static_cast<uint64_t>(place.line),
           what + " (" + (name ? name + 1 : place.file) + ":" + std::to_string(place.line) + ")", isAddress);
}

}  // namespace simt
