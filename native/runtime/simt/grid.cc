#include "runtime/simt/grid.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "runtime/simt/block.h"
#include "runtime/simt/global-memory.h"
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

struct Machine {
  Helpers helpers;
  std::vector<std::unique_ptr<Block>> blocks;  // one for each worker
  std::atomic<int64_t> launches = 0;           // since leaveOutLaunches
  std::atomic<int64_t> leftOutBegin = 0, leftOutEnd = 0;
};

Machine& machine() {
  static Machine& instance = *std::make_unique<Machine>().release();
  return instance;
}

bool isLeftOut(int64_t launch) { return launch >= machine().leftOutBegin && launch < machine().leftOutEnd; }

}  // namespace

void runGrid(Grid grid) {
  if (isLeftOut(machine().launches++)) return;
  const Ends ends(grid.blocks, config().blocks);
  const uint64_t total = ends.count();
  const int workers = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(config().workers), total));
  while (static_cast<int>(machine().blocks.size()) < workers)
    machine().blocks.push_back(std::make_unique<Block>());
  grid.seed = config().seed;
  grid.checks = config().check;
  grid.profiles = grid.checks && isCounting();
  grid.firstSerial = grid.checks ? takeSerials(grid.blockCount()) : 0;
  const Order order(total, grid.seed);
  std::atomic<uint64_t> next = 0;
  std::atomic<bool> isRefused = false;
  machine().helpers.run(workers, [&](int worker) {
    Block& block = *machine().blocks[static_cast<size_t>(worker)];
    block.counts = {};
    for (uint64_t i; !isRefused && (i = next++) < total;)
      if (!block.run(grid, ends.at(order.at(i)))) isRefused = true;
  });
  if (!isCounting()) return;
  Counts counts;
  counts.blocksLeftOut = static_cast<int64_t>(grid.blockCount() - total);
  for (int worker = 0; worker < workers; worker++)
    counts.add(machine().blocks[static_cast<size_t>(worker)]->counts);
  recordLaunch(grid, counts);
}

int64_t leaveOutLaunches(int64_t begin, int64_t end) {
  machine().leftOutBegin = begin;
  machine().leftOutEnd = end;
  return machine().launches.exchange(0);
}

}  // namespace simt
