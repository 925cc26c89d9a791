#include "runtime/simt/warp.h"

#include <cstdio>

#include "runtime/simt/language.h"

namespace simt {

namespace {

constexpr uint32_t kAll = 0xffffffffu;

std::string hex(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

bool isComplete(const Warp& warp, const Meeting& meeting) {
  return (meeting.arrived & warp.alive & meeting.mask) == (warp.alive & meeting.mask);
}

void execute(Block& block, Warp& warp, Meeting& meeting, uint32_t except) {
  block.counts.warpInstructions++;
  if (block.profiles && meeting.mask == kAll) countAccesses(block, warp);
  meeting.execute(block, meeting);
  const uint32_t woken = meeting.arrived & ~except;
  warp.meetingCount--;
  Meeting& last = warp.meetings[warp.meetingCount];
  if (&last != &meeting) meeting = last;
  forLanes(woken, [&](int lane) { block.wake(block.thread(warp.first + static_cast<uint32_t>(lane))); });
}

// The meeting that the lane belongs to; others that it should have come to are reported.
Meeting& find(Thread& me, uint32_t mask, Meeting::Execute execute, const char* what, Place place) {
  Warp& warp = *me.warp;
  const uint32_t bit = 1u << me.lane;
  for (int i = 0; i < warp.meetingCount; i++) {
    Meeting& each = warp.meetings[i];
    const bool isSame = each.mask == mask && each.execute == execute && !(each.arrived & bit);
    if (isSame && each.place.line == place.line) return each;
    if ((each.arrived & mask) || (each.mask & bit))
      reportAt(me, "divergent warp instruction", place,
               std::string(what) + " of lanes " + hex(mask) + " while lanes " + hex(each.arrived) +
                   " wait at " + each.what + " of lanes " + hex(each.mask) + " in line " +
                   std::to_string(each.place.line));
    if (isSame) return each;
  }
  if (warp.meetingCount == Warp::kMostMeetings) {
    reportAt(me, "divergent warp instruction", place, "lanes of the warp wait at too many instructions");
    me.block->abandon();
  }
  Meeting& fresh = warp.meetings[warp.meetingCount++];
  fresh.mask = mask;
  fresh.arrived = 0;
  fresh.execute = execute;
  fresh.what = what;
  fresh.place = place;
  return fresh;
}

}  // namespace

void meet(uint32_t mask, Meeting::Execute act, void* argument, const char* what, Place place) {
  Thread& me = currentThread();
  const uint32_t bit = 1u << me.lane;
  if (!(mask & bit)) {
    reportAt(
        me, "divergent warp instruction", place,
        std::string(what) + ": lane " + std::to_string(me.lane) + " is not in its own mask " + hex(mask));
    me.block->abandon();
  }
  Meeting& meeting = find(me, mask, act, what, place);
  meeting.arguments[me.lane] = argument;
  meeting.arrived |= bit;
  if (isComplete(*me.warp, meeting)) return execute(*me.block, *me.warp, meeting, bit);
  me.block->suspend(me, what, place);
}

void finishMeetings(Block& block, Warp& warp) {
  for (int i = 0; i < warp.meetingCount;) {
    if (isComplete(warp, warp.meetings[i]))
      execute(block, warp, warp.meetings[i], 0);
    else
      i++;
  }
}

// ---- exchange between lanes

namespace {

struct Exchange {
  uint64_t value;
  int source;
  Shuffle shuffle;
  int width;
  uint64_t result;
};

// The lane that `lane` reads, by the PTX ISA, shfl.sync.
int sourceOf(const Exchange& each, int lane) {
  const int first = lane & ~(each.width - 1);
  const int end = first + each.width;
  switch (each.shuffle) {
    case Shuffle::index:
      return first + (each.source & (each.width - 1));
    case Shuffle::up:
      return lane - each.source < first ? lane : lane - each.source;
    case Shuffle::down:
      return lane + each.source >= end ? lane : lane + each.source;
    case Shuffle::exclusiveOr:
      break;
  }
  return (lane ^ each.source) >= end ? lane : lane ^ each.source;
}

void exchangeAll(Block& block, Meeting& meeting) {
  block.counts.shuffles++;
  forLanes(meeting.arrived, [&](int lane) {
    auto& each = argumentOf<Exchange>(meeting, lane);
    const int source = sourceOf(each, lane);
    if (meeting.arrived >> source & 1) {
      each.result = argumentOf<Exchange>(meeting, source).value;
      return;
    }
    Thread& thread = block.thread(currentThread().warp->first + static_cast<uint32_t>(lane));
    reportAt(thread, "divergent warp instruction", meeting.place,
             "a shuffle reads lane " + std::to_string(source) + ", which does not take part");
    each.result = ~uint64_t{0};
  });
}

struct Vote {
  bool value;
  uint32_t result;
};

void voteAll(Block&, Meeting& meeting) {
  uint32_t result = 0;
  forLanes(meeting.arrived,
           [&](int lane) { result |= uint32_t{argumentOf<Vote>(meeting, lane).value} << lane; });
  forLanes(meeting.arrived, [&](int lane) { argumentOf<Vote>(meeting, lane).result = result; });
}

void synchronizeAll(Block& block, Meeting& meeting) {
  Thread* members[32];
  int count = 0;
  forLanes(meeting.arrived,
           [&](int lane) { members[count++] = static_cast<Thread*>(meeting.arguments[lane]); });
  block.join(members, count);
}

struct Reduction {
  int64_t value;
  Reduce reduce;
  int64_t result;
};

void reduceAll(Block&, Meeting& meeting) {
  bool isFirst = true;
  int64_t total = 0;
  forLanes(meeting.arrived, [&](int lane) {
    const auto& each = argumentOf<Reduction>(meeting, lane);
    if (isFirst)
      total = each.value;
    else if (each.reduce == Reduce::add)
      total += each.value;
    else if (each.reduce == Reduce::min)
      total = std::min(total, each.value);
    else if (each.reduce == Reduce::max)
      total = std::max(total, each.value);
    else if (each.reduce == Reduce::bitAnd)
      total &= each.value;
    else if (each.reduce == Reduce::bitOr)
      total |= each.value;
    else
      total ^= each.value;
    isFirst = false;
  });
  forLanes(meeting.arrived, [&](int lane) { argumentOf<Reduction>(meeting, lane).result = total; });
}

}  // namespace

uint64_t shuffle(uint32_t mask, uint64_t value, int source, Shuffle shuffle, int width, const char* file,
                 int line) {
  Exchange mine{value, source, shuffle, width, 0};
  meet(mask, exchangeAll, &mine, "a shuffle", {file, line});
  return mine.result;
}

uint32_t ballot(uint32_t mask, bool value, const char* file, int line) {
  Vote mine{value, 0};
  meet(mask, voteAll, &mine, "a vote", {file, line});
  return mine.result;
}

int64_t reduceLanes(uint32_t mask, int64_t value, Reduce reduce, const char* file, int line) {
  Reduction mine{value, reduce, 0};
  meet(mask, reduceAll, &mine, "a reduction", {file, line});
  return mine.result;
}

void syncWarp(uint32_t mask, const char* file, int line) {
  meet(mask, synchronizeAll, &currentThread(), "__syncwarp", {file, line});
}

uint32_t activeMask() { return currentThread().warp->alive; }

}  // namespace simt
