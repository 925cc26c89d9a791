// Blocks that take turns, and what they may forget.
#include "runtime/cuda/device/ordered.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

constexpr int kThreads = 64;
constexpr int kBlocks = 100;  // more than can begin before one has ended

enum class Mistake { none, noWait, noBarrierAfterWait, noPass, noBarrierBeforePass };

// y = 2 y + rank, by one block after the other.
template <Mistake mistake>
__global__ void inTurnKernel(float* y, uint32_t* counters) {
  uint32_t* tickets = counters;
  uint32_t* turn = counters + 1;
  const uint32_t rank = takeTicket(tickets, sharedMemory<uint32_t>());
  if (mistake == Mistake::noBarrierAfterWait) {
    if (threadIdx.x == 0) simt::waitForTurn(turn, rank);
  } else if (mistake != Mistake::noWait) {
    waitForTurn(turn, rank);
  }
  const float before = rank == 0 ? 0 : y[threadIdx.x];
  y[threadIdx.x] = 2 * before + static_cast<float>(rank % 3);
  if (mistake == Mistake::noBarrierBeforePass) {
    if (threadIdx.x == 0) simt::passTurn(turn);
  } else if (mistake != Mistake::noPass) {
    passTurn(turn);
  }
}

template <Mistake mistake>
void inTurn(Context& context) {
  DeviceArray<float> y(kThreads);
  DeviceArray<uint32_t> counters(std::vector<uint32_t>(2, 0));
  simt::launch("inTurn", kBlocks, kThreads, sizeof(uint32_t), nullptr, inTurnKernel<mistake>, y.get(),
               counters.get());
  append(context, y.values());
}

const Case correct{"turns/correct", inTurn<Mistake::none>};
const Case noWait{"turns/no-wait", inTurn<Mistake::noWait>};
const Case noBarrierAfterWait{"turns/no-barrier-after-wait", inTurn<Mistake::noBarrierAfterWait>};
const Case noPass{"turns/no-pass", inTurn<Mistake::noPass>};
const Case noBarrierBeforePass{"turns/no-barrier-before-pass", inTurn<Mistake::noBarrierBeforePass>};

// Each block waits for the one of the next number, which may find room only when this one has ended.
template <bool broken>
__global__ void lastFirstKernel(uint32_t* counters) {
  const uint32_t ticket = takeTicket(counters, sharedMemory<uint32_t>());
  const uint32_t number = broken ? blockIdx.x : gridDim.x - 1 - ticket;
  uint32_t* turns = counters + 1;
  if (number + 1 < gridDim.x) waitForTurn(turns + number + 1, 1);
  passTurn(turns + number);
}

template <bool broken>
void waitForLater(Context& context) {
  DeviceArray<uint32_t> counters(std::vector<uint32_t>(1 + kBlocks, 0));
  simt::launch("lastFirst", kBlocks, kThreads, sizeof(uint32_t), nullptr, lastFirstKernel<broken>,
               counters.get());
  append(context, counters.values());
}

SIMT_TWINS("wait-for-later", waitForLater)

}  // namespace

}  // namespace crossmap::cuda::test
