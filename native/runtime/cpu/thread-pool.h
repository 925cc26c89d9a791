#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace crossmap {
struct ProfiledTask;
}  // namespace crossmap

namespace crossmap::cpu {

// How a profile numbers the threads: the caller of parallelFor, then the others. 0 is the host's.
inline constexpr int kExecutorThread = 1;

// The threads that share the work of one op. The caller is one of them.
class ThreadPool {
 public:
  // `threads` counts the caller; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(begin, end) for consecutive ranges that cover [0, count), each `grain` long but for the last.
  // Which thread takes which range varies, the ranges do not: a kernel that reduces per range and then over
  // the ranges in order gives the same bits whatever the number of threads. The first exception is thrown on.
  //
  // Each thread begins with a share of its own, ranges that follow each other, the same in every loop of
  // equal length: what it wrote in one loop is near it in the next. Who is done takes ranges of the others.
  void parallelFor(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

  // From now on the loops that threads share are recorded as parts of this task; nothing is where it is null.
  // For the caller of parallelFor, between loops.
  void setTask(const ProfiledTask* task) { task_ = task; }

 private:
  struct Loop;
  struct Share;

  void work(int thread);
  void takePart(Loop& loop, int thread);
  // Whether there was one to take.
  bool takeRanges(Loop& loop, int thread);
  static void takeRange(Loop& loop, int64_t range);

  std::unique_ptr<Share[]> shares_;  // one to a thread
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable finished_;
  const ProfiledTask* task_ = nullptr;
  Loop* loop_ = nullptr;             // guarded by mutex_
  int active_ = 0;                   // workers inside loop_; guarded by mutex_
  bool stopping_ = false;            // guarded by mutex_
  std::atomic<uint64_t> posted_{0};  // counts loops: lets an idle worker look without the lock
};

}  // namespace crossmap::cpu
