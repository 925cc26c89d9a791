#pragma once
// Races of global memory: of each four bytes, which blocks of the running launch touched them. Blocks are
// ordered by turns alone (turns.h); else no two may touch the same byte if one of them writes it.
#include <cstddef>
#include <cstdint>

namespace simt {

struct Thread;

// Numbers for the blocks of a launch, larger than those of all launches before; 0 where there are too many
// blocks.
uint32_t takeSerials(uint64_t blocks);

// An access by a thread of a block that has a serial.
void trackTouch(Thread& me, uintptr_t address, uint32_t bytes, bool writes, const void* instruction);

// Bytes from an offset into the heap on belong to nobody any more.
void forgetTouches(size_t offset, size_t bytes);

}  // namespace simt
