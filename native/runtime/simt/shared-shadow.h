#pragma once
// What is known of each two bytes of shared memory: who wrote them last, who read them since, and whether
// anybody wrote them at all.
#include <cstdint>

#include "runtime/simt/clock.h"

namespace simt {

struct Thread;

struct SharedCell {
  static constexpr int kReaders = 3;
  Stamp writer;
  Stamp readers[kReaders];  // of different warps where there are several
};

class SharedShadow {
 public:
  SharedShadow();
  // Nobody has written or read the first `bytes`.
  void clear(uint32_t bytes);
  // The address is an offset in the arena, within the block's shared memory. `instruction` is where it
  // happens.
  void read(Thread& thread, uint32_t address, uint32_t bytes, const void* instruction);
  void write(Thread& thread, uint32_t address, uint32_t bytes, const void* instruction);
  // An atomic operation: ordered against other atomics, so that only uninitialised memory is an error.
  void atomic(Thread& thread, uint32_t address, uint32_t bytes, const void* instruction);
  // An asynchronous copy is under way to these bytes, or has landed and been waited for.
  void beginCopy(uint32_t address, uint32_t bytes);
  void endCopy(uint32_t address, uint32_t bytes);

 private:
  enum State : uint8_t { kWritten = 1, kInFlight = 2 };

  SharedCell* cells_;
  uint8_t* states_;
};

}  // namespace simt
