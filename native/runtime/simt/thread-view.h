#pragma once
// What a kernel sees of its own thread.
#include "runtime/simt/fiber.h"
#include "runtime/simt/vector-types.h"

namespace simt {

struct ThreadView {
  uint3 thread;
  uint3 block;
  uint3 blockSize;
  uint3 gridSize;
};

// Found by the stack, not by a variable of the thread of the system: reading it is an access of the thread's
// own stack, which no check looks at.
inline const ThreadView& threadView() {
  return *reinterpret_cast<const ThreadView*>(threadPlace(stackAt(__builtin_frame_address(0))));
}

}  // namespace simt
