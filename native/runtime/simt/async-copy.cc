// cp.async: copies land when the seed says, by default as late as they may, and may be used after the wait
// only.
#include <cstdio>

#include "runtime/simt/access.h"
#include "runtime/simt/language.h"

namespace simt {

namespace {

CopyQueue& copiesOf(Thread& me) { return me.block->copies[me.number]; }

void land(Block& block, PendingCopy& copy) {
  if (copy.hasLanded) return;
  copy.hasLanded = true;
  char* to = block.arena + copy.to;
  if (copy.bytesRead == 16) {
    std::memcpy(to, copy.from, 16);
    return;
  }
  if (copy.bytesRead) std::memcpy(to, copy.from, copy.bytesRead);
  std::memset(to + copy.bytesRead, 0, copy.bytes - copy.bytesRead);
}

void landGroup(Block& block, CopyQueue& queue, size_t group) {
  size_t index = group == 0 ? 0 : queue.groups[group - 1].end;
  for (index = std::max(index, queue.firstCopy); index < queue.groups[group].end; index++)
    land(block, queue.copies[index]);
}

CopyQueue::Landing chooseLanding(Block& block) {
  if (!block.grid->seed) return CopyQueue::Landing::atWait;
  return static_cast<CopyQueue::Landing>(block.random.below(3));
}

void checkCopy(Thread& me, uint32_t to, const void* from, uint32_t bytes, uint32_t bytesRead,
               const void* instruction) {
  if ((to | (bytesRead ? reinterpret_cast<uintptr_t>(from) : 0)) & (bytes - 1)) {
    char text[128];
    std::snprintf(text, sizeof text, "an asynchronous copy of %u bytes from %p to shared address 0x%x", bytes,
                  from, to);
    refuse(me, "misaligned access", instruction, text);
  }
  Block& block = *me.block;
  if (!block.checks) {
    if (to < kSharedBase || to + bytes > kArenaBytes) block.abandon();
    return;
  }
  if (bytesRead) access(from, bytesRead, Did::read, instruction);
  accessShared(me, to, bytes, Did::write, instruction);
  if (block.profiles) block.logs[me.number].push_back({instruction, to, bytes, true});
  block.shadow.beginCopy(to, bytes);
}

}  // namespace

void copyAsync(uint32_t to, const void* from, int bytes, int bytesRead) {
  Thread& me = currentThread();
  const void* instruction = __builtin_return_address(0);
  const auto size = static_cast<uint32_t>(bytes);
  const auto sizeRead = static_cast<uint32_t>(bytesRead);
  checkCopy(me, to, from, size, sizeRead, instruction);
  me.block->counts.copiedBytes += bytesRead;
  copiesOf(me).copies.push_back({to, from, size, sizeRead, false, instruction});
}

void commitCopies() {
  Thread& me = currentThread();
  CopyQueue& queue = copiesOf(me);
  Block& block = *me.block;
  queue.groups.push_back({queue.copies.size(), chooseLanding(block)});
  const size_t last = queue.groups.size() - 1;
  if (queue.groups[last].landing == CopyQueue::Landing::atCommit) landGroup(block, queue, last);
  if (last > queue.firstGroup && queue.groups[last - 1].landing == CopyQueue::Landing::atNextCommit)
    landGroup(block, queue, last - 1);
}

void waitCopies(int pending) {
  Thread& me = currentThread();
  CopyQueue& queue = copiesOf(me);
  Block& block = *me.block;
  while (queue.groups.size() - queue.firstGroup > static_cast<size_t>(pending)) {
    for (const size_t end = queue.groups[queue.firstGroup++].end; queue.firstCopy < end; queue.firstCopy++) {
      PendingCopy& copy = queue.copies[queue.firstCopy];
      land(block, copy);
      if (!block.checks) continue;
      block.shadow.endCopy(copy.to, copy.bytes);
      block.shadow.write(me, copy.to, copy.bytes, copy.instruction);
    }
  }
  if (queue.firstGroup == queue.groups.size() && queue.firstCopy == queue.copies.size()) queue.clear();
}

}  // namespace simt
