#pragma once
// The asynchronous copies of one thread (cp.async).
#include <cstddef>
#include <cstdint>
#include <vector>

namespace simt {

struct PendingCopy {
  uint32_t to;  // shared address
  const void* from;
  uint32_t bytes, bytesRead;  // what is not read becomes zero
  bool hasLanded;
  const void* instruction;
};

struct CopyQueue {
  // When the copies of a group land; they may be used after the wait only.
  enum class Landing { atCommit, atNextCommit, atWait };
  struct Group {
    size_t end;  // of its copies
    Landing landing;
  };

  std::vector<PendingCopy> copies;
  std::vector<Group> groups;
  size_t firstCopy = 0, firstGroup = 0;  // that were not waited for

  bool isEmpty() const { return copies.empty() && groups.empty(); }
  void clear() {
    copies.clear();
    groups.clear();
    firstCopy = firstGroup = 0;
  }
};

}  // namespace simt
