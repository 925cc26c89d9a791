#include "runtime/simt/profile.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>

#include "runtime/simt/block.h"

namespace simt {

namespace {

constexpr uintptr_t kSectorBytes = 32;
constexpr uintptr_t kBankBytes = 4;
constexpr int kBanks = 32;

// One instruction of a warp, in global memory: each sector moves once.
void countGlobal(Counts& counts, const Access* const* lanes, int count) {
  static thread_local std::vector<uintptr_t> sectors;
  sectors.clear();
  for (int i = 0; i < count; i++) {
    counts.globalBytes += lanes[i]->bytes;
    const uintptr_t end = lanes[i]->address + lanes[i]->bytes;
    for (uintptr_t sector = lanes[i]->address / kSectorBytes; sector * kSectorBytes < end; sector++)
      if (sectors.empty() || sectors.back() != sector) sectors.push_back(sector);
  }
  std::sort(sectors.begin(), sectors.end());
  counts.globalRequests++;
  counts.globalSectors += std::unique(sectors.begin(), sectors.end()) - sectors.begin();
}

// How often the banks must be read for the words: as often as the one with the most.
int wavefrontsOf(std::vector<uintptr_t>& words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  int perBank[kBanks] = {};
  int most = 1;
  for (const uintptr_t word : words) most = std::max(most, ++perBank[word % kBanks]);
  return most;
}

// Accesses of 8 and 16 bytes go in phases of 16 and 8 lanes, so that no phase needs more than each bank once.
void countShared(Counts& counts, const Access* const* lanes, int count) {
  static thread_local std::vector<uintptr_t> words;
  const uint32_t bytes = lanes[0]->bytes;
  const int lanesPerPhase = bytes >= 16 ? 8 : bytes >= 8 ? 16 : 32;
  counts.sharedRequests++;
  for (int first = 0; first < count; first += lanesPerPhase) {
    words.clear();
    for (int i = first; i < std::min(count, first + lanesPerPhase); i++) {
      counts.sharedBytes += lanes[i]->bytes;
      const uintptr_t end = lanes[i]->address + lanes[i]->bytes;
      for (uintptr_t word = lanes[i]->address / kBankBytes; word * kBankBytes < end; word++)
        words.push_back(word);
    }
    counts.sharedWavefronts += wavefrontsOf(words);
    counts.idealSharedWavefronts++;
  }
}

}  // namespace

void countAccesses(Block& block, Warp& warp) {
  size_t next[32] = {};
  const int lanes = std::min(32, block.threadCount - static_cast<int>(warp.first));
  for (;;) {
    int first = 0;
    while (first < lanes && next[first] == block.logs[warp.first + static_cast<uint32_t>(first)].size())
      first++;
    if (first == lanes) break;
    const Access& leader = block.logs[warp.first + static_cast<uint32_t>(first)][next[first]];
    const Access* together[32];
    int count = 0;
    for (int lane = first; lane < lanes; lane++) {
      const AccessLog& log = block.logs[warp.first + static_cast<uint32_t>(lane)];
      if (next[lane] == log.size()) continue;
      const Access& each = log[next[lane]];
      if (each.instruction != leader.instruction || each.isShared != leader.isShared ||
          each.bytes != leader.bytes)
        continue;
      together[count++] = &each;
      next[lane]++;
    }
    if (leader.isShared)
      countShared(block.counts, together, count);
    else
      countGlobal(block.counts, together, count);
  }
  for (int lane = 0; lane < lanes; lane++) block.logs[warp.first + static_cast<uint32_t>(lane)].clear();
}

void countMatrixRows(Counts& counts, const uint32_t (&addresses)[8]) {
  static thread_local std::vector<uintptr_t> words;
  words.clear();
  for (const uint32_t address : addresses)
    for (uint32_t word = 0; word < 4; word++) words.push_back(address / kBankBytes + word);
  counts.sharedRequests++;
  counts.sharedBytes += 128;
  counts.sharedWavefronts += wavefrontsOf(words);
  counts.idealSharedWavefronts++;
}

void Counts::add(const Counts& other) {
  blocks += other.blocks;
  blocksLeftOut += other.blocksLeftOut;
  threads += other.threads;
  switches += other.switches;
  warpInstructions += other.warpInstructions;
  barriers += other.barriers;
  for (int i = 0; i < 3; i++) products[i] += other.products[i];
  matrixLoads += other.matrixLoads;
  shuffles += other.shuffles;
  fmas += other.fmas;
  specialFunctions += other.specialFunctions;
  copiedBytes += other.copiedBytes;
  globalRequests += other.globalRequests;
  globalSectors += other.globalSectors;
  globalBytes += other.globalBytes;
  sharedRequests += other.sharedRequests;
  sharedWavefronts += other.sharedWavefronts;
  idealSharedWavefronts += other.idealSharedWavefronts;
  sharedBytes += other.sharedBytes;
}

// ---- by name

namespace {

struct Ledger {
  std::mutex mutex;
  std::map<std::string, NamedCounts> kernels;
  std::set<std::tuple<const void*, int64_t, int64_t>> launches;  // entry, threads, bytes of shared memory
  std::atomic<bool> isCounting = config().profile;
};

Ledger& ledger() {
  static Ledger& instance = *std::make_unique<Ledger>().release();
  return instance;
}

}  // namespace

bool isCounting() { return ledger().isCounting; }

void recordLaunch(const Grid& grid, const Counts& counts) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  NamedCounts& named = all.kernels[grid.kernel];
  const auto sharedBytes = static_cast<int64_t>(grid.sharedBytes);
  named.kernel = grid.kernel;
  named.launches++;
  named.sharedBytes = std::max(named.sharedBytes, sharedBytes);
  named.counts.add(counts);
  all.launches.insert({grid.entry, grid.threadCount(), sharedBytes});
}

void startCounting(bool on) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  all.isCounting = on;
  if (!on) return;
  all.kernels.clear();
  all.launches.clear();
}

std::vector<NamedCounts> countsByKernel() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  std::vector<NamedCounts> result;
  for (const auto& [name, each] : all.kernels) result.push_back(each);
  return result;
}

std::vector<LaunchShape> launchShapes() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  std::vector<LaunchShape> result;
  for (const auto& [entry, threads, sharedBytes] : all.launches) {
    Dl_info info{};
    dladdr(entry, &info);
    const auto offset = static_cast<const char*>(entry) - static_cast<const char*>(info.dli_fbase);
    result.push_back({offset, threads, sharedBytes});
  }
  return result;
}

}  // namespace simt
