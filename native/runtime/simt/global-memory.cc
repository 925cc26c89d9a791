#include "runtime/simt/global-memory.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "runtime/simt/access.h"
#include "runtime/simt/global-races.h"
#include "runtime/simt/pages.h"

namespace simt {

namespace {

constexpr size_t kAlignment = 256;  // as cudaMalloc
constexpr size_t kRedzone = 4096;   // at least so much between two allocations
// More is not filled with 0xff, which would need memory for all of it: the check of what was written sees it
// anyway.
constexpr size_t kMostFilled = size_t{64} << 20;

struct Heap {
  std::shared_mutex mutex;
  std::map<uintptr_t, Allocation> allocations;  // live and freed
  std::map<uintptr_t, Allocation> pieces;       // that were claimed
  std::map<uintptr_t, bool> cut;                // allocations that have or had pieces
  size_t top = kRedzone;
  size_t liveBytes = 0;
  // Changes whenever an address may have become valid or invalid.
  std::atomic<uint64_t> generation = 1;
  uint8_t* written = reinterpret_cast<uint8_t*>(reserve(kHeapBytes / 8));  // one bit for each byte
};

Heap& heap() {
  static Heap& instance = *std::make_unique<Heap>().release();
  return instance;
}

size_t offsetOf(const void* memory) {
  return static_cast<size_t>(static_cast<const char*>(memory) - heapBase);
}

const Allocation* findIn(const std::map<uintptr_t, Allocation>& all, uintptr_t address) {
  auto next = all.upper_bound(address);
  return next == all.begin() ? nullptr : &std::prev(next)->second;
}

bool holds(const Allocation& each, uintptr_t address, size_t bytes) {
  return each.isLive && address >= each.begin && address + bytes <= each.begin + each.bytes;
}

// The live allocation, or claimed piece of one, that holds the bytes.
const Allocation* findLive(Heap& all, uintptr_t address, size_t bytes) {
  const Allocation* whole = findIn(all.allocations, address);
  if (!whole || !holds(*whole, address, bytes)) return nullptr;
  if (all.cut.empty() || !all.cut.contains(whole->begin)) return whole;
  const Allocation* piece = findIn(all.pieces, address);
  return piece && holds(*piece, address, bytes) ? piece : nullptr;
}

void setWritten(Heap& all, size_t offset, size_t bytes, bool value) {
  const size_t end = offset + bytes;
  for (; offset < end && offset % 8; offset++) {
    const auto bit = static_cast<uint8_t>(1u << offset % 8);
    if (value)
      __atomic_fetch_or(&all.written[offset / 8], bit, __ATOMIC_RELAXED);
    else
      __atomic_fetch_and(&all.written[offset / 8], static_cast<uint8_t>(~bit), __ATOMIC_RELAXED);
  }
  const size_t whole = (end - offset) / 8;
  if (!value && whole > (size_t{1} << 20)) {
    // Pages of what was never written must stay untouched.
    clear(reinterpret_cast<char*>(all.written + offset / 8), whole);
  } else {
    std::memset(all.written + offset / 8, value ? 0xff : 0, whole);
  }
  offset += whole * 8;
  for (; offset < end; offset++) {
    const auto bit = static_cast<uint8_t>(1u << offset % 8);
    if (value)
      __atomic_fetch_or(&all.written[offset / 8], bit, __ATOMIC_RELAXED);
    else
      __atomic_fetch_and(&all.written[offset / 8], static_cast<uint8_t>(~bit), __ATOMIC_RELAXED);
  }
}

// NaN in each type of floats, or 0 where blocks may be left out.
void fillUnknown(void* memory, size_t bytes) {
  if (config().blocks > 0)
    clear(static_cast<char*>(memory), bytes);
  else if (bytes <= kMostFilled)
    std::memset(memory, 0xff, bytes);
}

}  // namespace

char* const heapBase = reserve(kHeapBytes);

void* allocateGlobal(size_t bytes) {
  Heap& all = heap();
  const std::unique_lock lock(all.mutex);
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes > static_cast<size_t>(config().memoryBytes) ||
      all.liveBytes + rounded > static_cast<size_t>(config().memoryBytes) ||
      all.top + rounded + kRedzone > kHeapBytes)
    return nullptr;
  char* memory = heapBase + all.top;
  all.top += rounded + kRedzone;
  all.liveBytes += rounded;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  all.allocations[begin] = {begin, bytes, true};
  fillUnknown(memory, bytes);
  all.generation++;
  return memory;
}

bool freeGlobal(void* memory) {
  Heap& all = heap();
  const std::unique_lock lock(all.mutex);
  const auto found = all.allocations.find(reinterpret_cast<uintptr_t>(memory));
  if (found == all.allocations.end() || !found->second.isLive) return false;
  const size_t bytes = found->second.bytes;
  found->second.isLive = false;
  all.liveBytes -= (bytes + kAlignment - 1) / kAlignment * kAlignment;
  discard(static_cast<char*>(memory), bytes);
  forgetTouches(offsetOf(memory), bytes);
  discard(reinterpret_cast<char*>(all.written + offsetOf(memory) / 8), bytes / 8);
  all.generation++;
  return true;
}

void claimGlobal(void* memory, size_t bytes) {
  Heap& all = heap();
  const std::unique_lock lock(all.mutex);
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const Allocation* whole = findIn(all.allocations, begin);
  if (!whole) return;
  all.cut[whole->begin] = true;
  // What was there before may have been cut at other places.
  all.pieces.erase(all.pieces.lower_bound(begin), all.pieces.lower_bound(begin + std::max<size_t>(bytes, 1)));
  all.pieces[begin] = {begin, bytes, true};
  setWritten(all, offsetOf(memory), bytes, false);
  fillUnknown(memory, bytes);
  all.generation++;
}

void disclaimGlobal(void* memory) {
  Heap& all = heap();
  const std::unique_lock lock(all.mutex);
  const auto found = all.pieces.find(reinterpret_cast<uintptr_t>(memory));
  if (found == all.pieces.end()) return;
  found->second.isLive = false;
  all.generation++;
}

MemoryState globalState() {
  Heap& all = heap();
  const std::shared_lock lock(all.mutex);
  const auto total = static_cast<size_t>(config().memoryBytes);
  return {total - all.liveBytes, total};
}

std::vector<Allocation> liveAllocations() {
  Heap& all = heap();
  const std::shared_lock lock(all.mutex);
  std::vector<Allocation> live;
  for (const auto& [begin, each] : all.allocations)
    if (each.isLive) live.push_back(each);
  return live;
}

bool isLiveGlobal(const void* memory, size_t bytes) {
  Heap& all = heap();
  const std::shared_lock lock(all.mutex);
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const Allocation* whole = findIn(all.allocations, address);
  return whole && holds(*whole, address, bytes);
}

void markWritten(const void* memory, size_t bytes) { setWritten(heap(), offsetOf(memory), bytes, true); }

void copyWritten(const void* to, const void* from, size_t bytes) {
  Heap& all = heap();
  const size_t target = offsetOf(to);
  const size_t source = offsetOf(from);
  if (target % 8 == 0 && source % 8 == 0) {
    std::memmove(all.written + target / 8, all.written + source / 8, bytes / 8);
    for (size_t i = bytes / 8 * 8; i < bytes; i++)
      setWritten(all, target + i, 1, all.written[(source + i) / 8] >> (source + i) % 8 & 1);
    return;
  }
  std::vector<bool> bits(bytes);  // the two may overlap
  for (size_t i = 0; i < bytes; i++) bits[i] = all.written[(source + i) / 8] >> (source + i) % 8 & 1;
  for (size_t i = 0; i < bytes; i++) setWritten(all, target + i, 1, bits[i]);
}

// ---- checks

namespace {

[[noreturn]] void refuseGlobal(Thread& me, uintptr_t address, size_t bytes, Did did,
                               const void* instruction) {
  Heap& all = heap();
  std::string near;
  bool isFreed = false;
  {
    const std::shared_lock lock(all.mutex);
    const Allocation* each = findIn(all.allocations, address);
    if (each && each->isLive && all.cut.contains(each->begin))
      if (const Allocation* piece = findIn(all.pieces, address)) each = piece;
    if (each) {
      const size_t at = address - each->begin;
      isFreed = !each->isLive && at < each->bytes;
      near = isFreed ? ", byte " + std::to_string(at) + " of " + std::to_string(each->bytes) +
                           " that were released"
                     : ", byte " + std::to_string(at) + " of an allocation of " + std::to_string(each->bytes);
    }
  }
  char text[96];
  std::snprintf(text, sizeof text, "%zu-byte %s at global address 0x%zx", bytes, wordOf(did),
                size_t{address});
  refuse(me, isFreed ? "use after free" : "global out of bounds", instruction, text + near);
}

void checkBounds(Thread& me, uintptr_t address, size_t bytes, Did did, const void* instruction) {
  Heap& all = heap();
  const auto key = reinterpret_cast<uintptr_t>(instruction);
  Block::Span& span = me.block->spans[(key ^ key >> 8) & 255];
  const uint64_t generation = all.generation.load(std::memory_order_relaxed);
  if (address >= span.begin && address + bytes <= span.end && span.generation == generation) return;
  {
    const std::shared_lock lock(all.mutex);
    if (const Allocation* found = findLive(all, address, bytes)) {
      span = {found->begin, found->begin + found->bytes, generation};
      return;
    }
  }
  refuseGlobal(me, address, bytes, did, instruction);
}

void checkWritten(Thread& me, uintptr_t address, size_t bytes, Did did, const void* instruction) {
  uint8_t* const written = heap().written;
  const size_t offset = address - reinterpret_cast<uintptr_t>(heapBase);
  if (bytes <= 16) {
    uint32_t bits;
    std::memcpy(&bits, written + offset / 8, sizeof bits);
    const uint32_t mask = ((1u << bytes) - 1) << offset % 8;
    if ((bits & mask) == mask) return;
    if (did == Did::write) {
      for (size_t i = 0; i < 4; i++)
        if (const auto part = static_cast<uint8_t>(mask >> 8 * i))
          __atomic_fetch_or(written + offset / 8 + i, part, __ATOMIC_RELAXED);
      return;
    }
  } else {
    if (did == Did::write) return setWritten(heap(), offset, bytes, true);
    bool isComplete = true;
    for (size_t i = offset; i < offset + bytes; i++) isComplete &= (written[i / 8] >> i % 8 & 1) != 0;
    if (isComplete) return;
  }
  if (config().blocks > 0) return;
  char text[128];
  std::snprintf(text, sizeof text, "%zu-byte %s at global address 0x%zx, which nobody has written", bytes,
                wordOf(did), size_t{address});
  reportAt(me, "uninitialised global memory", reinterpret_cast<uintptr_t>(instruction),
           text + instructionText(instruction));
}

}  // namespace

void accessGlobal(Thread& me, uintptr_t address, size_t bytes, Did did, const void* instruction) {
  checkBounds(me, address, bytes, did, instruction);
  checkWritten(me, address, bytes, did, instruction);
  if (did != Did::atomic && me.block->serial)
    trackTouch(me, address, static_cast<uint32_t>(bytes), did == Did::write, instruction);
}

}  // namespace simt
