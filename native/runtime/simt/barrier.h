#pragma once
// __syncthreads and named barriers.
#include "runtime/simt/block.h"

namespace simt {

void resetBarrier(Barrier& barrier);
// After a thread has ended: a barrier of the whole block may have waited for it alone.
void finishBarriers(Block& block);

}  // namespace simt
