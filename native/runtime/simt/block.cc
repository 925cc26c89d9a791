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

// A thread's first function: its stack begins here.
void runThread() {
  Thread& me = currentThread();
  Block& block = *me.block;
  block.grid->call(block.grid->arguments);
  block.finish(me);
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
    : stacks(mapStacks(kMaxThreads)), warps(new Warp[kMaxWarps]), copies(kMaxThreads), logs(kMaxThreads) {
  void* memory =
      mmap(nullptr, size_t{kArenaBytes} * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  arena = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory) + kArenaBytes - 1) &
                                  ~uintptr_t{kArenaBytes - 1});
}

void Block::start(Thread& thread, uint32_t number) {
  thread.view = {unravel(number, grid->threads), index, asIndex(grid->threads), asIndex(grid->blocks)};
  thread.block = this;
  thread.warp = &warps[number / 32];
  thread.number = number;
  thread.lane = number % 32;
  thread.time = 1;
  thread.isDone = false;
  thread.waitsFor = "its start";
  thread.waitsAt = {};
  thread.stackPointer = startStack(reinterpret_cast<char*>(&thread), runThread);
  wake(thread);
}

bool Block::run(const Grid& launched, uint64_t linear) {
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
    warps[w].ready = 0;
    warps[w].meetingCount = 0;
    warps[w].first = static_cast<uint32_t>(w) * 32;
  }
  clocks.clear();
  Clock* zero = checks ? clocks.zero(threadCount) : nullptr;
  for (int number = 0; number < threadCount; number++) {
    Thread& each = thread(static_cast<uint32_t>(number));
    start(each, static_cast<uint32_t>(number));
    each.known = zero;
    copies[static_cast<size_t>(number)].clear();
    logs[static_cast<size_t>(number)].clear();
  }
  if (zero) zero->users = threadCount;
  counts.threads += threadCount;
  counts.blocks++;

  currentBlock = this;
  if (Thread* first = next()) simtSwitch(&scheduler, first->stackPointer);
  if (aliveCount > 0 && !isAbandoned) reportDeadlock();
  currentBlock = nullptr;
  if (profiles)
    for (int w = 0; w < warpCount; w++) countAccesses(*this, warps[w]);
  return !isAbandoned;
}

// The lanes of one warp run until all of them wait: their 32 stacks stay in the cache.
Thread* Block::next() {
  if (!warps[currentWarp].ready || (grid->seed && random.below(8) == 0)) {
    if (!warps[currentWarp].ready) readyWarps &= ~(1u << currentWarp);
    if (!readyWarps) return nullptr;
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
  return &thread(currentWarp * 32 + lane);
}

void Block::suspend(Thread& me, const char* what, Place place) {
  me.waitsFor = what;
  me.waitsAt = place;
  Thread* other = next();
  counts.switches++;
  simtSwitch(&me.stackPointer, other ? other->stackPointer : scheduler);
}

void Block::leave(void** save) {
  Thread* other = isAbandoned ? nullptr : next();
  counts.switches++;
  simtSwitch(save, other ? other->stackPointer : scheduler);
  __builtin_unreachable();
}

void Block::abandon() {
  isAbandoned = true;
  leave(&currentThread().stackPointer);
}

void Block::finish(Thread& me) {
  CopyQueue& mine = copies[me.number];
  if (mine.firstCopy < mine.copies.size())
    reportAt(me, "copy not waited for", reinterpret_cast<uintptr_t>(mine.copies[mine.firstCopy].instruction),
             "the thread ends while its asynchronous copy to shared byte " +
                 std::to_string(mine.copies[mine.firstCopy].to - kSharedBase) + " is in flight");
  me.isDone = true;
  aliveCount--;
  me.warp->alive &= ~(1u << me.lane);
  finishMeetings(*this, *me.warp);
  finishBarriers(*this);
  leave(&me.stackPointer);
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
    const Thread& each = thread(static_cast<uint32_t>(number));
    if (each.isDone) continue;
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
  Thread& any = groups.empty() ? thread(0) : thread(groups.front().first->number);
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
