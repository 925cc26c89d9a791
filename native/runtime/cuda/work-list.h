#pragma once
// Many tensors in one launch: the list of them travels in the arguments of the kernel, and each block finds
// its own range of elements there. Nothing is copied to the device, and no tensor waits for another.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/cuda/language.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

// `most` items and the elements of a block are bounded by the caller; Item has an int64_t count.
template <typename Item, int most, int64_t elementsPerBlock>
struct WorkList {
  int64_t firstBlock[most];  // of each item
  Item items[most];
  int size = 0;
  int64_t blocks = 0;

  static constexpr int64_t kElementsPerBlock = elementsPerBlock;

  // The item of a block: the last one that begins at or before it.
  __device__ int itemOf(int64_t block) const {
    int low = 0;
    int high = size;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      if (firstBlock[middle] <= block)
        low = middle;
      else
        high = middle;
    }
    return low;
  }

  // The first element of a block within its item.
  __device__ int64_t beginOf(int64_t block, int item) const {
    return (block - firstBlock[item]) * elementsPerBlock;
  }
};

// The items in as few lists as hold them; those without elements are left out.
template <typename List, typename Item>
std::vector<List> workLists(const std::vector<Item>& items) {
  std::vector<List> lists;
  constexpr int kMost = static_cast<int>(std::extent_v<decltype(List::items)>);
  for (const Item& item : items) {
    if (item.count == 0) continue;
    if (lists.empty() || lists.back().size == kMost) lists.emplace_back();
    List& list = lists.back();
    list.firstBlock[list.size] = list.blocks;
    list.items[list.size++] = item;
    list.blocks += ceilDiv(item.count, List::kElementsPerBlock);
  }
  return lists;
}

}  // namespace crossmap::cuda
