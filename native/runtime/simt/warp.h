#pragma once
// Instructions at which the lanes of a warp meet.
#include "runtime/simt/block.h"

namespace simt {

// The calling lane waits until all living lanes of the mask are at the same instruction; the last one
// executes it for all. `argument` stands on the lane's stack, and results go there.
void meet(uint32_t mask, Meeting::Execute execute, void* argument, const char* what, Place place);

// After a lane has ended: the others may have waited for it alone.
void finishMeetings(Block& block, Warp& warp);

template <typename Argument>
Argument& argumentOf(Meeting& meeting, int lane) {
  return *static_cast<Argument*>(meeting.arguments[lane]);
}

template <typename Do>
void forLanes(uint32_t mask, Do&& act) {
  for (; mask; mask &= mask - 1) act(__builtin_ctz(mask));
}

}  // namespace simt
