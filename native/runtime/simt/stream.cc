#include "runtime/simt/stream.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "runtime/simt/config.h"
#include "runtime/simt/report.h"

namespace simt {

namespace {

bool isReady(const SimtStream& stream) {
  if (stream.queue.empty() || stream.isRunning) return false;
  const Operation& head = stream.queue.front();
  return !head.wait || head.wait->passed >= head.ticket;
}

// All streams of the device, and the thread that executes their work.
class Executor {
 public:
  std::mutex mutex;
  std::condition_variable wake, progress;
  std::vector<std::unique_ptr<SimtStream>> streams;

  SimtStream* resolve(SimtStream* stream) {
    if (stream) return stream;
    if (!default_) default_ = add();
    return default_;
  }

  SimtStream* add() {
    streams.push_back(std::make_unique<SimtStream>());
    return streams.back().get();
  }

  // With the mutex held.
  void push(SimtStream& stream, Operation operation) {
    const uint64_t seed = config().seed;
    if (seed != lastSeed_) random_ = Random(lastSeed_ = seed);
    operation.order = nextOrder_++;
    operation.isHeld = seed && random_.below(2) == 0;
    stream.queue.push_back(std::move(operation));
    if (!hasThread_) std::thread([this] { run(); }).detach();
    hasThread_ = true;
    wake.notify_one();
  }

  // Waits until `isThere`, which work of the stream leads to.
  template <typename Condition>
  void demand(std::unique_lock<std::mutex>& lock, SimtStream& stream, Condition&& isThere) {
    if (isThere()) return;
    stream.demand++;
    wake.notify_one();
    progress.wait(lock, isThere);
    stream.demand--;
  }

 private:
  // Adds the streams that those in demand wait for.
  std::vector<SimtStream*> demanded() {
    std::vector<SimtStream*> found;
    for (const auto& each : streams)
      if (each->demand > 0) found.push_back(each.get());
    for (size_t i = 0; i < found.size(); i++) {
      if (found[i]->queue.empty()) continue;
      const Operation& head = found[i]->queue.front();
      if (!head.wait || head.wait->passed >= head.ticket || !head.wait->stream) continue;
      if (std::find(found.begin(), found.end(), head.wait->stream) == found.end())
        found.push_back(head.wait->stream);
    }
    return found;
  }

  SimtStream* choose() {
    if (!config().seed) {
      SimtStream* first = nullptr;
      for (const auto& each : streams)
        if (isReady(*each) && (!first || each->queue.front().order < first->queue.front().order))
          first = each.get();
      return first;
    }
    std::vector<SimtStream*> candidates;
    for (SimtStream* each : demanded())
      if (isReady(*each)) candidates.push_back(each);
    for (const auto& each : streams)
      if (isReady(*each) && !each->queue.front().isHeld) candidates.push_back(each.get());
    return candidates.empty() ? nullptr : candidates[random_.below(candidates.size())];
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      SimtStream* stream = nullptr;
      wake.wait(lock, [&] { return (stream = choose()) != nullptr; });
      Operation operation = std::move(stream->queue.front());
      stream->queue.pop_front();
      stream->isRunning = true;
      if (operation.work) {
        lock.unlock();
        if (!hasReports()) operation.work();  // a device that has failed executes nothing
        operation = {};
        lock.lock();
      } else if (operation.record) {
        operation.record->passed = std::max(operation.record->passed, operation.ticket);
      }
      stream->isRunning = false;
      progress.notify_all();
    }
  }

  SimtStream* default_ = nullptr;
  bool hasThread_ = false;
  uint64_t nextOrder_ = 0;
  uint64_t lastSeed_ = 0;
  Random random_{0};
};

Executor& executor() {
  static Executor& instance =
      *std::make_unique<Executor>().release();  // its thread runs until the process ends
  return instance;
}

bool isIdle(const SimtStream& stream) { return stream.queue.empty() && !stream.isRunning; }

}  // namespace

SimtStream* createStream() {
  const std::lock_guard lock(executor().mutex);
  return executor().add();
}

void destroyStream(SimtStream* stream) {
  std::unique_lock lock(executor().mutex);
  executor().demand(lock, *stream, [&] { return isIdle(*stream); });
  // Events may name it still, so that it stays, empty.
}

cudaError_t enqueue(SimtStream* stream, Work work) {
  const std::lock_guard lock(executor().mutex);
  stream = executor().resolve(stream);
  if (stream->capture)
    stream->capture->work.push_back(std::move(work));
  else
    executor().push(*stream, Operation{std::move(work), nullptr, nullptr});
  return cudaSuccess;
}

cudaError_t recordEvent(SimtEvent& event, SimtStream* stream) {
  const std::lock_guard lock(executor().mutex);
  stream = executor().resolve(stream);
  if (stream->capture) return cudaErrorStreamCaptureUnsupported;
  event.state->stream = stream;
  executor().push(*stream, Operation{{}, event.state, nullptr, ++event.state->recorded});
  return cudaSuccess;
}

cudaError_t waitForEvent(SimtStream* stream, const SimtEvent& event) {
  const std::lock_guard lock(executor().mutex);
  stream = executor().resolve(stream);
  if (stream->capture) return cudaErrorStreamCaptureUnsupported;
  if (event.state->recorded > event.state->passed)
    executor().push(*stream, Operation{{}, nullptr, event.state, event.state->recorded});
  return cudaSuccess;
}

void synchronizeStream(SimtStream* stream) {
  std::unique_lock lock(executor().mutex);
  stream = executor().resolve(stream);
  executor().demand(lock, *stream, [&] { return isIdle(*stream); });
}

void synchronizeEvent(const SimtEvent& event) {
  std::unique_lock lock(executor().mutex);
  const auto state = event.state;
  if (!state->stream) return;
  executor().demand(lock, *state->stream, [&, ticket = state->recorded] { return state->passed >= ticket; });
}

void synchronizeAll() {
  std::unique_lock lock(executor().mutex);
  for (size_t i = 0; i < executor().streams.size(); i++) {
    SimtStream& each = *executor().streams[i];
    executor().demand(lock, each, [&] { return isIdle(each); });
  }
}

bool isDone(SimtStream* stream) {
  const std::lock_guard lock(executor().mutex);
  stream = executor().resolve(stream);
  for (Operation& each : stream->queue) each.isHeld = false;
  executor().wake.notify_one();
  return isIdle(*stream);
}

bool isDone(const SimtEvent& event) {
  const std::lock_guard lock(executor().mutex);
  if (event.state->passed >= event.state->recorded) return true;
  for (Operation& each : event.state->stream->queue) each.isHeld = false;
  executor().wake.notify_one();
  return false;
}

void beginCapture(SimtStream* stream) {
  const std::lock_guard lock(executor().mutex);
  executor().resolve(stream)->capture = std::make_unique<SimtGraph>();
}

std::unique_ptr<SimtGraph> endCapture(SimtStream* stream) {
  const std::lock_guard lock(executor().mutex);
  return std::move(executor().resolve(stream)->capture);
}

}  // namespace simt
