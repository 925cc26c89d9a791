#include "runtime/simt/grid.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "runtime/simt/block.h"
#include "runtime/simt/global-races.h"
#include "runtime/simt/left-out.h"
#include "runtime/simt/profile.h"

namespace simt {

namespace {

// Threads of the system that help to execute a grid. They live as long as the process, so that each keeps its
// stacks.
class Helpers {
 public:
  // `work` is called in `count` threads, this one among them, each with an index of its own.
  void run(int count, const std::function<void(int)>& work) {
    std::unique_lock lock(mutex_);
    while (static_cast<int>(threads_) < count - 1) {
      std::thread([this, index = ++threads_] { help(index); }).detach();
    }
    work_ = &work;
    wanted_ = count - 1;
    running_ = count - 1;
    round_++;
    lock.unlock();
    if (count > 1) wake_.notify_all();
    work(0);
    lock.lock();
    done_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  void help(int index) {
    uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return round_ != seen && index <= wanted_; });
      seen = round_;
      lock.unlock();
      (*work_)(index);
      lock.lock();
      if (--running_ == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int)>* work_ = nullptr;
  int threads_ = 0, wanted_ = 0, running_ = 0;
  uint64_t round_ = 0;
};

// The order in which blocks run: another one for each seed.
class Order {
 public:
  Order(uint64_t count, uint64_t seed) : count_(count) {
    if (!seed || count < 2) return;
    Random random(seed);
    do step_ = 1 + random.below(count - 1);
    while (std::gcd(step_, count) != 1);
    first_ = random.below(count);
  }
  uint64_t at(uint64_t index) const {
    return step_ == 1 && first_ == 0
               ? index
               : static_cast<uint64_t>((static_cast<unsigned __int128>(index) * step_ + first_) % count_);
  }

 private:
  uint64_t count_;
  uint64_t step_ = 1, first_ = 0;
};

// Which blocks of a launch are executed: all, or the first and the last `each` of the grid's first axis.
class Ends {
 public:
  Ends(const dim3& blocks, int64_t each) : size_(blocks.x), rows_(uint64_t{blocks.y} * blocks.z) {
    const auto most = static_cast<uint64_t>(each);
    each_ = most > 0 && most < size_ && 2 * most < size_ ? most : size_;
  }
  uint64_t count() const { return rows_ * ofRow(); }
  uint64_t at(uint64_t index) const {
    const uint64_t x = index % ofRow();
    return index / ofRow() * size_ + (x < each_ ? x : x + size_ - ofRow());
  }

 private:
  uint64_t ofRow() const { return std::min(size_, 2 * each_); }

  uint64_t size_, rows_, each_;
};

// While its blocks wait for their turns, a worker begins another one, but no more than so many in all
// workers, or one in each: as on a GPU, room is bounded, and a block that waits for one without room waits
// for ever.
constexpr size_t kMostBegun = 16;

// The blocks of one worker: of these, the first `begun` are blocks of the grid that have begun.
class Worker {
 public:
  size_t begun() const { return begun_; }

  Block& begin(const Grid& grid, uint64_t index) {
    if (begun_ == blocks_.size()) blocks_.push_back(std::make_unique<Block>());
    Block& block = *blocks_[begun_++];
    block.begin(grid, index);
    return block;
  }
  Block* oneThatCanGoOn() {
    for (size_t i = 0; i < begun_; i++)
      if (blocks_[i]->canGoOn()) return blocks_[i].get();
    return nullptr;
  }
  void end(const Block& block) {
    const auto isIt = [&](const std::unique_ptr<Block>& each) { return each.get() == &block; };
    const auto found = std::find_if(blocks_.begin(), blocks_.end(), isIt);
    std::swap(*found, blocks_[--begun_]);
  }
  void forget() { begun_ = 0; }
  // Of one that waits.
  void reportStuck() { blocks_.front()->reportStuck(); }

  void clearCounts() {
    for (auto& each : blocks_) each->counts = {};
  }
  void addCounts(Counts& counts) const {
    for (const auto& each : blocks_) counts.add(each->counts);
  }

 private:
  std::vector<std::unique_ptr<Block>> blocks_;  // kept, since each has stacks
  size_t begun_ = 0;
};

struct Machine {
  Helpers helpers;
  std::vector<std::unique_ptr<Worker>> workers;
  std::atomic<int64_t> launches = 0;  // since leaveOutLaunches
  std::atomic<int64_t> leftOutBegin = 0, leftOutEnd = 0;
};

Machine& machine() {
  static Machine& instance = *std::make_unique<Machine>().release();
  return instance;
}

bool isLeftOut(int64_t launch) { return launch >= machine().leftOutBegin && launch < machine().leftOutEnd; }

// The blocks of a launch that are executed, in the order in which they begin.
struct Blocks {
  Ends ends;
  Order order;
  std::atomic<uint64_t> next = 0;

  uint64_t at(uint64_t index) const { return ends.at(order.at(index)); }
};

// Executes blocks until none is left, or the launch must stop.
void work(Worker& worker, size_t room, const Grid& grid, Blocks& blocks) {
  const uint64_t total = blocks.ends.count();
  const auto canBegin = [&] { return worker.begun() < room && blocks.next < total; };
  Random random(grid.seed);
  while (!grid.turns->isStopped()) {
    Block* block = worker.oneThatCanGoOn();
    const bool prefersFresh = grid.seed && random.below(2) == 0;
    if ((!block || prefersFresh) && canBegin())
      if (const uint64_t i = blocks.next++; i < total) block = &worker.begin(grid, blocks.at(i));
    if (!block) {
      if (worker.begun() == 0) break;
      if (!grid.turns->await([&] { return worker.oneThatCanGoOn() || canBegin(); })) break;
      continue;
    }
    const Block::State state = block->proceed();
    if (state == Block::State::refused) grid.turns->stop();
    if (state != Block::State::waits) worker.end(*block);
  }
  if (worker.begun() > 0 && grid.turns->isStuck()) worker.reportStuck();
  worker.forget();
  grid.turns->leave();
}

}  // namespace

void runGrid(Grid grid) {
  if (isLeftOut(machine().launches++)) return;
  const Ends ends(grid.blocks, config().blocks);
  const uint64_t total = ends.count();
  const int workers = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(config().workers), total));
  auto& all = machine().workers;
  while (static_cast<int>(all.size()) < workers) all.push_back(std::make_unique<Worker>());
  grid.seed = config().seed;
  grid.checks = config().check;
  grid.profiles = grid.checks && isCounting();
  grid.firstSerial = grid.checks ? takeSerials(grid.blockCount()) : 0;
  Turns turns(workers);
  grid.turns = &turns;
  for (auto& each : all) each->clearCounts();
  Blocks blocks{ends, Order(total, grid.seed)};
  const size_t room = std::max<size_t>(1, kMostBegun / static_cast<size_t>(workers));
  machine().helpers.run(workers,
                        [&](int worker) { work(*all[static_cast<size_t>(worker)], room, grid, blocks); });
  if (!isCounting()) return;
  Counts counts;
  counts.blocksLeftOut = static_cast<int64_t>(grid.blockCount() - total);
  for (const auto& each : all) each->addCounts(counts);
  recordLaunch(grid, counts);
}

int64_t leaveOutLaunches(int64_t begin, int64_t end) {
  machine().leftOutBegin = begin;
  machine().leftOutEnd = end;
  return machine().launches.exchange(0);
}

}  // namespace simt
