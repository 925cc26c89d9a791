#include "runtime/simt/global-races.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>

#include "runtime/simt/block.h"
#include "runtime/simt/global-memory.h"
#include "runtime/simt/pages.h"

namespace simt {

namespace {

// Of four bytes: the block that wrote last and one that read, each with the bytes that it touched, and
// whether others read too.
constexpr uint32_t kSerialBits = 27;
constexpr uint32_t kSerialMask = (1u << kSerialBits) - 1;

struct Cell {
  uint32_t writer, reader;
  uint32_t writtenBytes, readBytes;  // 4 bits
  bool hasMoreReaders;

  static Cell unpack(uint64_t bits) {
    return {static_cast<uint32_t>(bits) & kSerialMask,
            static_cast<uint32_t>(bits >> kSerialBits) & kSerialMask, static_cast<uint32_t>(bits >> 54) & 15,
            static_cast<uint32_t>(bits >> 58) & 15, (bits >> 62 & 1) != 0};
  }
  uint64_t pack() const {
    return writer | uint64_t{reader} << kSerialBits | uint64_t{writtenBytes} << 54 |
           uint64_t{readBytes} << 58 | uint64_t{hasMoreReaders} << 62;
  }
};

// The last access of a cell by a block that takes turns: its serial, and the stamp of its thread.
struct Touch {
  uint64_t written, read;

  static uint64_t of(const Thread& me) {
    return uint64_t{me.block->serial} << 32 | stampOf(me.number, me.time);
  }
};

struct Shadow {
  uint64_t* cells = reinterpret_cast<uint64_t*>(reserve(kHeapBytes * 2));  // of each four bytes
  Touch* touches = reinterpret_cast<Touch*>(reserve(kHeapBytes * 4));      // the same
  std::mutex mutex;
  uint32_t nextSerial = 1;
};

Shadow& shadow() {
  static Shadow& instance = *std::make_unique<Shadow>().release();
  return instance;
}

void reportRace(Thread& me, uintptr_t address, uint32_t other, const char* did, const char* otherDid,
                const void* instruction) {
  const Grid& grid = *me.block->grid;
  const uint64_t linear = other - grid.firstSerial;
  char text[192];
  std::snprintf(text, sizeof text,
                "global address 0x%zx is %s, and block (%u,%u,%u) of the same launch %s it", size_t{address},
                did, static_cast<unsigned>(linear % grid.blocks.x),
                static_cast<unsigned>(linear / grid.blocks.x % grid.blocks.y),
                static_cast<unsigned>(linear / grid.blocks.x / grid.blocks.y), otherDid);
  reportAt(me, "global race", reinterpret_cast<uintptr_t>(instruction), text + instructionText(instruction));
}

// Whether a touch of that block lies before the thread's present, by the turns that its block has waited for.
bool isBehind(const Thread& me, uint32_t serial, const uint64_t& touch) {
  if (!me.block->takesTurns) return false;
  const uint64_t last = __atomic_load_n(&touch, __ATOMIC_RELAXED);
  return isKnown(me, serial, last >> 32 == serial ? static_cast<Stamp>(last) : 0);
}

}  // namespace

void trackTouch(Thread& me, uintptr_t address, uint32_t bytes, bool writes, const void* instruction) {
  const uint32_t mine = me.block->serial;
  const uint32_t first = me.block->grid->firstSerial;
  const bool takesTurns = me.block->takesTurns;
  Shadow& all = shadow();
  size_t offset = address - reinterpret_cast<uintptr_t>(heapBase);
  const size_t end = offset + bytes;
  while (offset < end) {
    const size_t next = std::min(end, (offset | 3) + 1);
    const uint32_t mask = ((1u << (next - offset)) - 1) << offset % 4;
    // Workers that meet here would be a race of the kernel; at worst one of them is not seen this time.
    uint64_t* place = all.cells + offset / 4;
    Touch& touch = all.touches[offset / 4];
    const uint64_t before = __atomic_load_n(place, __ATOMIC_RELAXED);
    Cell cell = Cell::unpack(before);
    const bool isWritten = cell.writer >= first;  // in this launch
    const bool isRead = cell.reader >= first;
    if (isWritten && cell.writer != mine && (cell.writtenBytes & mask) &&
        !isBehind(me, cell.writer, touch.written))
      reportRace(me, address, cell.writer, writes ? "written" : "read", "wrote", instruction);
    // Of several readers one is kept; where they are ordered, the last, who speaks for all.
    const bool isReadBehind = isRead && cell.reader != mine && isBehind(me, cell.reader, touch.read);
    if (writes) {
      if (isRead && !isReadBehind && (cell.readBytes & mask) && (cell.reader != mine || cell.hasMoreReaders))
        reportRace(me, address, cell.reader, "written", "read", instruction);
      if (isReadBehind) cell.reader = 0;
      cell.writtenBytes = cell.writer == mine ? cell.writtenBytes | mask : mask;
      cell.writer = mine;
    } else if (!isRead || isReadBehind) {
      cell.reader = mine;
      cell.readBytes = mask;
      cell.hasMoreReaders = false;
    } else {
      cell.readBytes |= mask;
      if (cell.reader != mine) cell.hasMoreReaders = true;
    }
    const uint64_t after = cell.pack();
    if (after != before) __atomic_store_n(place, after, __ATOMIC_RELAXED);
    if (takesTurns && (writes || cell.reader == mine))
      __atomic_store_n(writes ? &touch.written : &touch.read, Touch::of(me), __ATOMIC_RELAXED);
    offset = next;
  }
}

void forgetTouches(size_t offset, size_t bytes) {
  discard(reinterpret_cast<char*>(shadow().cells + offset / 4), bytes * 2);
  discard(reinterpret_cast<char*>(shadow().touches + offset / 4), bytes * 4);
}

uint32_t takeSerials(uint64_t blocks) {
  Shadow& all = shadow();
  if (blocks > kSerialMask / 4) return 0;
  const std::lock_guard lock(all.mutex);
  if (all.nextSerial + blocks > kSerialMask) {  // old numbers would look like new ones
    discard(reinterpret_cast<char*>(all.cells), kHeapBytes * 2);
    discard(reinterpret_cast<char*>(all.touches), kHeapBytes * 4);
    all.nextSerial = 1;
  }
  const uint32_t first = all.nextSerial;
  all.nextSerial += static_cast<uint32_t>(blocks);
  return first;
}

}  // namespace simt
