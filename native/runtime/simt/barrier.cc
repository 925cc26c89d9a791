#include "runtime/simt/barrier.h"

#include "runtime/simt/language.h"

namespace simt {

namespace {

void complete(Block& block, Barrier& barrier, const Thread* last) {
  block.counts.barriers++;
  if (block.profiles)
    for (int w = 0; w < block.warpCount; w++) countAccesses(block, block.warps[w]);
  block.join(barrier.members.data(), static_cast<int>(barrier.members.size()));
  barrier.result = barrier.votes;
  for (size_t i = 0; i < barrier.members.size(); i++)
    if (barrier.waits[i] && barrier.members[i] != last) block.wake(*barrier.members[i]);
  const int result = barrier.result;
  resetBarrier(barrier);
  barrier.result = result;
}

bool isUsed(const Barrier& barrier) { return barrier.arrived > 0; }

// Whether the barrier has let its threads go.
bool arrive(Thread& me, int id, int count, bool waits, bool vote, Place place) {
  Block& block = *me.block;
  if (id < 0 || id >= kBarriers || count < 0 || count % 32 != 0 || count > block.threadCount) {
    reportAt(me, "wrong barrier", place,
             "barrier " + std::to_string(id) + " of " + std::to_string(count) +
                 " threads: there are 16, of whole warps");
    block.abandon();
  }
  Barrier& barrier = block.barriers[id];
  if (isUsed(barrier) && barrier.expected != count)
    reportAt(me, "divergent barrier", place,
             "barrier " + std::to_string(id) + " is for " + std::to_string(count) + " threads here and for " +
                 std::to_string(barrier.expected) + " in line " + std::to_string(barrier.place.line));
  if (isUsed(barrier) && count == 0 && barrier.place.line != place.line)
    reportAt(me, "divergent barrier", place,
             "meets " + std::to_string(barrier.arrived) + " threads that wait at another barrier, in line " +
                 std::to_string(barrier.place.line));
  barrier.place = place;
  barrier.expected = count;
  barrier.members.push_back(&me);
  barrier.waits.push_back(waits);
  barrier.arrived++;
  barrier.votes += vote;
  if (barrier.arrived < (count ? count : block.aliveCount)) return false;
  if (count == 0 && barrier.arrived < block.threadCount)
    reportAt(me, "divergent barrier", place,
             std::to_string(block.threadCount - barrier.arrived) + " of the block's " +
                 std::to_string(block.threadCount) + " threads have ended before it");
  complete(block, barrier, &me);
  return true;
}

}  // namespace

void resetBarrier(Barrier& barrier) {
  barrier.members.clear();
  barrier.waits.clear();
  barrier.arrived = barrier.expected = barrier.votes = 0;
}

void finishBarriers(Block& block) {
  Barrier& barrier = block.barriers[0];
  if (!isUsed(barrier) || barrier.expected != 0 || barrier.arrived < block.aliveCount) return;
  reportAt(*barrier.members.front(), "divergent barrier", barrier.place,
           std::to_string(block.threadCount - barrier.arrived) + " of the block's " +
               std::to_string(block.threadCount) + " threads end without it");
  complete(block, barrier, nullptr);
}

int syncThreadsCount(bool vote, const char* file, int line) {
  Thread& me = currentThread();
  Barrier& barrier = me.block->barriers[0];
  if (!arrive(me, 0, 0, true, vote, {file, line})) me.block->suspend(me, "__syncthreads", {file, line});
  return barrier.result;
}

void barrierSync(int id, int count, const char* file, int line) {
  Thread& me = currentThread();
  if (!arrive(me, id, count, true, false, {file, line}))
    me.block->suspend(me, "a named barrier", {file, line});
}

void barrierArrive(int id, int count, const char* file, int line) {
  currentThread().block->reusesStacks = false;  // the barrier remembers threads that may have ended
  arrive(currentThread(), id, count, false, false, {file, line});
}

}  // namespace simt
