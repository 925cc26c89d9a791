#pragma once
// Launches that are not executed at all.
#include <cstdint>

namespace simt {

// Of the launches from now on, those from number `begin` to `end`, left out, are not executed. For ops that
// launch the same kernels over and over. Returns how many there were since the last call. For when nothing is
// enqueued.
int64_t leaveOutLaunches(int64_t begin, int64_t end);

}  // namespace simt
