#include "runtime/simt/shared-shadow.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <string>

#include "runtime/simt/block.h"

namespace simt {

namespace {

constexpr uint32_t kUnit = 2;  // bytes of a cell: the smallest element that kernels keep in shared memory

void* map(size_t bytes) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

uint64_t placeOf(const void* instruction) { return reinterpret_cast<uintptr_t>(instruction); }

std::string addressText(uint32_t address) {
  char text[64];
  std::snprintf(text, sizeof text, "shared address 0x%x (byte %u)", address, address - kSharedBase);
  return text;
}

void reportRace(Thread& me, uint32_t address, Stamp other, const char* did, const char* otherDid,
                const void* instruction) {
  const uint3 index = me.block->threadIndex(threadOf(other));
  reportAt(me, "shared race", placeOf(instruction),
           addressText(address) + " is " + did + " while nothing orders that after thread (" +
               std::to_string(index.x) + "," + std::to_string(index.y) + "," + std::to_string(index.z) +
               ") " + otherDid + " it" + instructionText(instruction));
}

void reportInFlight(Thread& me, uint32_t address, const char* did, const void* instruction) {
  reportAt(me, "copy not waited for", placeOf(instruction),
           addressText(address) + " is " + did + " while an asynchronous copy to it is in flight" +
               instructionText(instruction));
}

void reportUnwritten(Thread& me, uint32_t address, const void* instruction) {
  reportAt(me, "uninitialised shared memory", placeOf(instruction),
           addressText(address) + " is read, and nobody has written it" + instructionText(instruction));
}

bool isOrdered(const Thread& me, Stamp stamp) { return isBefore(stamp, me.number, *me.known); }

// Keeps readers of as many warps as there is room for: whoever writes next is then unordered with one of
// them, if it is with any.
void addReader(const Thread& me, Stamp mine, SharedCell& cell) {
  for (Stamp& each : cell.readers) {
    if (each && threadOf(each) != me.number && !isOrdered(me, each)) continue;
    each = mine;
    return;
  }
  const auto warpOf = [](Stamp stamp) { return threadOf(stamp) / 32; };
  for (int i = 1; i < SharedCell::kReaders; i++)
    for (int j = 0; j < i; j++)
      if (warpOf(cell.readers[i]) == warpOf(cell.readers[j])) {
        cell.readers[i] = mine;
        return;
      }
}

}  // namespace

SharedShadow::SharedShadow()
    : cells_(static_cast<SharedCell*>(map(sizeof(SharedCell) * kArenaBytes / kUnit))),
      states_(static_cast<uint8_t*>(map(kArenaBytes / kUnit))) {}

void SharedShadow::clear(uint32_t bytes) {
  const size_t units = (bytes + kUnit - 1) / kUnit;
  std::memset(cells_ + kSharedBase / kUnit, 0, sizeof(SharedCell) * (units - kSharedBase / kUnit));
  std::memset(states_, 0, units);
}

void SharedShadow::read(Thread& me, uint32_t address, uint32_t bytes, const void* instruction) {
  const Stamp mine = stampOf(me.number, me.time);
  const uint32_t end = (address + bytes + kUnit - 1) / kUnit;
  Stamp ordered = 0;  // neighbours often have one writer
  for (uint32_t unit = address / kUnit; unit < end; unit++) {
    SharedCell& cell = cells_[unit];
    if (states_[unit] != kWritten) {
      if (states_[unit] & kInFlight)
        reportInFlight(me, unit * kUnit, "read", instruction);
      else
        reportUnwritten(me, unit * kUnit, instruction);
      states_[unit] |= kWritten;
    }
    if (cell.writer != ordered) {
      if (!isOrdered(me, cell.writer))
        reportRace(me, unit * kUnit, cell.writer, "read", "wrote", instruction);
      ordered = cell.writer;
    }
    if (cell.readers[0] != mine && cell.readers[1] != mine && cell.readers[2] != mine)
      addReader(me, mine, cell);
  }
}

void SharedShadow::write(Thread& me, uint32_t address, uint32_t bytes, const void* instruction) {
  const Stamp mine = stampOf(me.number, me.time);
  const uint32_t end = (address + bytes + kUnit - 1) / kUnit;
  for (uint32_t unit = address / kUnit; unit < end; unit++) {
    SharedCell& cell = cells_[unit];
    if (states_[unit] & kInFlight) reportInFlight(me, unit * kUnit, "written", instruction);
    if (bytes > 1) {  // two threads may write the two bytes of a cell
      if (cell.writer && !isOrdered(me, cell.writer))
        reportRace(me, unit * kUnit, cell.writer, "written", "wrote", instruction);
      for (const Stamp each : cell.readers)
        if (each && !isOrdered(me, each)) {
          reportRace(me, unit * kUnit, each, "written", "read", instruction);
          break;
        }
    }
    cell = {mine, {}};
    states_[unit] |= kWritten;
  }
}

void SharedShadow::atomic(Thread& me, uint32_t address, uint32_t bytes, const void* instruction) {
  const uint32_t end = (address + bytes + kUnit - 1) / kUnit;
  for (uint32_t unit = address / kUnit; unit < end; unit++) {
    if (states_[unit] & kInFlight)
      reportInFlight(me, unit * kUnit, "updated", instruction);
    else if (!states_[unit])
      reportUnwritten(me, unit * kUnit, instruction);
    states_[unit] |= kWritten;
  }
}

void SharedShadow::beginCopy(uint32_t address, uint32_t bytes) {
  for (uint32_t unit = address / kUnit; unit < (address + bytes) / kUnit; unit++) states_[unit] |= kInFlight;
}

void SharedShadow::endCopy(uint32_t address, uint32_t bytes) {
  for (uint32_t unit = address / kUnit; unit < (address + bytes) / kUnit; unit++)
    states_[unit] = static_cast<uint8_t>(states_[unit] & ~kInFlight);
}

}  // namespace simt
