#pragma once
// Streams: queues of work that one thread executes, in an order that the events between them allow. With seed
// 0 that is the order of enqueueing. With another one, work of a stream that nobody waits for is held back at
// random, so that a wait that the host forgot leaves wrong data.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/simt/api/host.h"

namespace simt {

// How often an event was recorded, and which of these records have been passed.
struct EventState {
  uint64_t recorded = 0;
  uint64_t passed = 0;
  SimtStream* stream = nullptr;  // of the last record
};

using Work = std::function<void()>;

struct Operation {
  Work work;                           // empty for the other two
  std::shared_ptr<EventState> record;  // passes `ticket`
  std::shared_ptr<EventState> wait;    // until `ticket` is passed
  uint64_t ticket = 0;
  uint64_t order = 0;  // among all operations
  bool isHeld = false;
};

}  // namespace simt

struct SimtGraph {
  std::vector<simt::Work> work;
};

struct SimtStream {
  std::deque<simt::Operation> queue;
  bool isRunning = false;
  int demand = 0;  // threads that wait for it
  std::unique_ptr<SimtGraph> capture;
};

struct SimtEvent {
  std::shared_ptr<simt::EventState> state = std::make_shared<simt::EventState>();
};

namespace simt {

SimtStream* createStream();
// Its work is executed first.
void destroyStream(SimtStream* stream);
// Adds to the graph where the stream is being captured.
cudaError_t enqueue(SimtStream* stream, Work work);
cudaError_t recordEvent(SimtEvent& event, SimtStream* stream);
cudaError_t waitForEvent(SimtStream* stream, const SimtEvent& event);
void synchronizeStream(SimtStream* stream);
void synchronizeEvent(const SimtEvent& event);
void synchronizeAll();
// Asking lets held work go: who asks often enough sees it done.
bool isDone(SimtStream* stream);
bool isDone(const SimtEvent& event);
void beginCapture(SimtStream* stream);
std::unique_ptr<SimtGraph> endCapture(SimtStream* stream);

}  // namespace simt
