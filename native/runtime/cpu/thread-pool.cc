#include "runtime/cpu/thread-pool.h"

#include <algorithm>

#include "runtime/numbers.h"
#include "runtime/profile.h"

namespace crossmap::cpu {

namespace {

// An idle worker looks this often before it sleeps: ops of a step follow each other within microseconds, and
// waking a sleeping thread costs tens of them.
constexpr int kSpins = 4000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace

struct ThreadPool::Loop {
  int64_t count;
  int64_t grain;
  const std::function<void(int64_t, int64_t)>& body;
  const ProfiledTask* task;
  std::mutex mutex;
  std::exception_ptr failure;  // guarded by mutex
};

// The ranges of a loop that a thread begins with.
struct alignas(64) ThreadPool::Share {
  std::atomic<int64_t> next;
  int64_t end;
};

ThreadPool::ThreadPool(int threads) : shares_(std::make_unique<Share[]>(static_cast<size_t>(threads))) {
  for (int index = 1; index < threads; index++) workers_.emplace_back([=, this] { work(index); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    posted_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::parallelFor(int64_t count, int64_t grain,
                             const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  Loop loop{count, std::max<int64_t>(1, grain), body, task_, {}, {}};
  const int64_t ranges = ceilDiv(loop.count, loop.grain);
  if (workers_.empty() || ranges == 1) {
    for (int64_t range = 0; range < ranges; range++) takeRange(loop, range);
  } else {
    for (int thread = 0; thread < threads(); thread++) {
      shares_[thread].next.store(thread * ranges / threads(), std::memory_order_relaxed);
      shares_[thread].end = (thread + 1) * ranges / threads();
    }
    {
      const std::lock_guard lock(mutex_);
      loop_ = &loop;
      posted_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    takePart(loop, 0);
    std::unique_lock lock(mutex_);
    loop_ = nullptr;  // no worker enters any more; those inside are waited for
    finished_.wait(lock, [this] { return active_ == 0; });
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
}

void ThreadPool::takePart(Loop& loop, int thread) {
  if (!loop.task) {
    takeRanges(loop, thread);
    return;
  }
  const auto& [profile, name, call] = *loop.task;
  const ProfileMoment begin = Profile::now();
  if (takeRanges(loop, thread))
    profile.record({ProfileKind::share, name, kExecutorThread + thread, begin, Profile::now(), {}, call});
}

bool ThreadPool::takeRanges(Loop& loop, int thread) {
  bool took = false;
  for (int turn = 0; turn < threads(); turn++) {
    Share& share = shares_[(thread + turn) % threads()];
    while (share.next.load(std::memory_order_relaxed) < share.end) {
      const int64_t range = share.next.fetch_add(1, std::memory_order_relaxed);
      if (range >= share.end) break;
      takeRange(loop, range);
      took = true;
    }
  }
  return took;
}

void ThreadPool::takeRange(Loop& loop, int64_t range) {
  const int64_t begin = range * loop.grain;
  try {
    loop.body(begin, std::min(begin + loop.grain, loop.count));
  } catch (...) {
    const std::lock_guard lock(loop.mutex);
    if (!loop.failure) loop.failure = std::current_exception();
  }
}

void ThreadPool::work(int thread) {
  uint64_t seen = 0;
  for (;;) {
    for (int spin = 0; spin < kSpins && posted_.load(std::memory_order_acquire) == seen; spin++) pause();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return posted_.load(std::memory_order_relaxed) != seen; });
    seen = posted_.load(std::memory_order_relaxed);
    if (stopping_) return;
    Loop* loop = loop_;
    if (!loop) continue;  // it ended before this worker woke
    active_++;
    lock.unlock();
    takePart(*loop, thread);
    lock.lock();
    if (--active_ == 0) finished_.notify_one();
  }
}

}  // namespace crossmap::cpu
