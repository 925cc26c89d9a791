#include "runtime/simt/access.h"

#include <link.h>

#include <cstdio>

#include "runtime/simt/global-memory.h"
#include "runtime/simt/language.h"
#include "runtime/simt/pinned-memory.h"

namespace simt {

namespace {

struct Range {
  uintptr_t begin = 0, end = 0;
  bool holds(uintptr_t address) const { return address - begin < end - begin; }
};

// What this program or library has loaded: constants of kernels stand there.
Range moduleRange() {
  Range found;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        Range range{~uintptr_t{0}, 0};
        for (int i = 0; i < info->dlpi_phnum; i++) {
          const auto& part = info->dlpi_phdr[i];
          if (part.p_type != PT_LOAD) continue;
          const uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          range.begin = std::min(range.begin, begin);
          range.end = std::max(range.end, begin + part.p_memsz);
        }
        if (!range.holds(reinterpret_cast<uintptr_t>(&moduleRange))) return 0;
        *static_cast<Range*>(result) = range;
        return 1;
      },
      &found);
  return found;
}

// Neither shared nor global memory.
void accessOther(Thread& thread, uintptr_t address, size_t bytes, Did did, const void* instruction) {
  static const Range module = moduleRange();
  const Block& block = *thread.block;
  if (did == Did::read) {
    if (address - reinterpret_cast<uintptr_t>(block.grid->arguments) < block.grid->argumentBytes) return;
    if (module.holds(address)) return;
  }
  if (isPinned(address, bytes)) return;
  char text[128];
  std::snprintf(text, sizeof text, "%zu-byte %s at 0x%zx, which is ", bytes, wordOf(did), size_t{address});
  const bool isStack = address - reinterpret_cast<uintptr_t>(block.stacks) < kStackBytes * kMaxThreads;
  refuse(thread, isStack ? "another thread's memory" : "no device memory", instruction,
         std::string(text) + (isStack          ? "local memory of another thread"
                              : address < 4096 ? "a null pointer"
                                               : "memory of the host, or none"));
}

}  // namespace

const char* wordOf(Did did) {
  return did == Did::read ? "read" : did == Did::write ? "write" : "atomic update";
}

void refuse(Thread& thread, const char* kind, const void* instruction, const std::string& what) {
  reportAt(thread, kind, reinterpret_cast<uintptr_t>(instruction), what + instructionText(instruction), true);
  thread.block->abandon();
}

void accessShared(Thread& thread, uint32_t address, uint32_t bytes, Did did, const void* instruction) {
  Block& block = *thread.block;
  if (address < kSharedBase || address + bytes > kSharedBase + block.sharedBytes) {
    char text[160];
    std::snprintf(text, sizeof text, "%u-byte %s at shared address 0x%x, byte %d of the block's %u", bytes,
                  wordOf(did), address, static_cast<int>(address) - static_cast<int>(kSharedBase),
                  block.sharedBytes);
    refuse(thread, "shared out of bounds", instruction, text);
  }
  if (did == Did::read)
    block.shadow.read(thread, address, bytes, instruction);
  else if (did == Did::write)
    block.shadow.write(thread, address, bytes, instruction);
  else
    block.shadow.atomic(thread, address, bytes, instruction);
}

void accessDevice(const void* pointer, size_t bytes, Did did, const void* instruction) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  Block* block = currentBlock;
  if (!block || !block->checks) return;
  Thread& thread = currentThread();
  const uintptr_t inArena = address - reinterpret_cast<uintptr_t>(block->arena);
  if (inArena < kArenaBytes) {
    accessShared(thread, static_cast<uint32_t>(inArena), static_cast<uint32_t>(bytes), did, instruction);
    if (block->profiles)
      block->logs[thread.number].push_back({instruction, inArena, static_cast<uint32_t>(bytes), true});
    return;
  }
  if (!isGlobal(address)) return accessOther(thread, address, bytes, did, instruction);
  accessGlobal(thread, address, bytes, did, instruction);
  if (block->profiles)
    block->logs[thread.number].push_back({instruction, address, static_cast<uint32_t>(bytes), false});
}

// ---- wide accesses, which the compiler does not split here

namespace {

void checkAligned(const void* address, size_t bytes, Did did, const void* instruction) {
  if (!(reinterpret_cast<uintptr_t>(address) & (bytes - 1)) || !currentBlock) return;
  char text[96];
  std::snprintf(text, sizeof text, "%zu-byte %s at %p, which is no multiple of %zu", bytes, wordOf(did),
                address, bytes);
  refuse(currentThread(), "misaligned access", instruction, text);
}

void move(void* to, const void* from, size_t bytes) {
  if (bytes == 16)
    std::memcpy(to, from, 16);
  else if (bytes == 8)
    std::memcpy(to, from, 8);
  else
    std::memcpy(to, from, bytes);
}

}  // namespace

void loadBytes(void* to, const void* from, size_t bytes) {
  const void* instruction = __builtin_return_address(0);
  checkAligned(from, bytes, Did::read, instruction);
  access(from, bytes, Did::read, instruction);
  move(to, from, bytes);
}

void storeBytes(void* to, const void* from, size_t bytes) {
  const void* instruction = __builtin_return_address(0);
  checkAligned(to, bytes, Did::write, instruction);
  access(to, bytes, Did::write, instruction);
  move(to, from, bytes);
}

}  // namespace simt
