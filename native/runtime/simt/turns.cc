#include "runtime/simt/turns.h"

#include <utility>

#include "runtime/simt/access.h"
#include "runtime/simt/language.h"

namespace simt {

namespace {

// What the thread has learnt last: its own waits, and those of others that a barrier has told it of.
std::shared_ptr<const KnownPasses> knownTo(const Thread& me) {
  const auto& learnt = me.block->learnt;
  for (auto each = learnt.rbegin(); each != learnt.rend(); ++each)
    if (isBefore(each->at, me.number, *me.known)) return each->passes;
  return nullptr;
}

void add(KnownPasses& all, const std::shared_ptr<const KnownPasses>& others) {
  if (!others) return;
  for (const auto& [serial, passed] : *others) {
    auto& mine = all[serial];
    if (!mine || mine->number < passed->number) mine = passed;
  }
}

// Together with what lay before the block's last pass, so that a later pass says more.
std::shared_ptr<const PassedTimes> timesOf(Thread& me) {
  Block& block = *me.block;
  std::vector<uint32_t> times(me.known->times, me.known->times + block.threadCount);
  times[me.number] = me.time++;
  if (block.passed)
    for (size_t t = 0; t < times.size(); t++) times[t] = std::max(times[t], block.passed->times[t]);
  const uint32_t number = block.passed ? block.passed->number + 1 : 0;
  return block.passed = std::make_shared<const PassedTimes>(PassedTimes{number, std::move(times)});
}

bool hasCome(const uint32_t* turn, uint32_t rank) { return __atomic_load_n(turn, __ATOMIC_ACQUIRE) == rank; }

}  // namespace

bool isKnown(const Thread& me, uint32_t serial, Stamp stamp) {
  const auto passes = knownTo(me);
  if (!passes) return false;
  const auto found = passes->find(serial);
  if (found == passes->end()) return false;
  return !stamp || (stamp & kTimeMask) <= found->second->times[threadOf(stamp)];
}

void Turns::pass(Thread& me, uint32_t* turn) {
  const std::lock_guard lock(mutex_);
  if (me.block->serial) {
    KnownPasses passes;
    add(passes, knownTo(me));
    add(passes, handedOn_[turn]);
    passes[me.block->serial] = timesOf(me);
    handedOn_[turn] = std::make_shared<const KnownPasses>(std::move(passes));
  }
  __atomic_fetch_add(turn, 1u, __ATOMIC_RELEASE);
  passes_++;
  idle_ = 0;
  wake_.notify_all();
}

void Turns::learn(Thread& me, const uint32_t* turn) {
  if (!me.block->serial) return;
  const std::lock_guard lock(mutex_);
  KnownPasses passes;
  add(passes, knownTo(me));
  add(passes, handedOn_[turn]);
  me.block->learnt.push_back(
      {stampOf(me.number, me.time), std::make_shared<const KnownPasses>(std::move(passes))});
}

void Turns::leave() {
  const std::lock_guard lock(mutex_);
  if (--active_ > 0 && idle_ == active_) stopLocked(true);
}

void Turns::stop() {
  const std::lock_guard lock(mutex_);
  stopLocked(false);
}

bool Turns::isStopped() {
  const std::lock_guard lock(mutex_);
  return isStopped_;
}

bool Turns::isStuck() {
  const std::lock_guard lock(mutex_);
  return isStuck_;
}

void Turns::stopLocked(bool isStuck) {
  if (!isStopped_) isStuck_ = isStuck;
  isStopped_ = true;
  wake_.notify_all();
}

// ---- of a block

bool Block::canGoOn() const {
  for (const TurnWait& each : waits)
    if (hasCome(each.turn, each.rank)) return true;
  return false;
}

void Block::wakeWhoseTurnHasCome() {
  std::erase_if(waits, [this](const TurnWait& each) {
    if (!hasCome(each.turn, each.rank)) return false;
    wake(*each.thread);
    return true;
  });
}

void Block::reportStuck() {
  const TurnWait& first = waits.front();
  char text[192];
  std::snprintf(
      text, sizeof text,
      "waits until %u blocks have passed the turn at global address 0x%zx, which stands at %u, and no "
      "block that has begun can go on",
      first.rank, reinterpret_cast<size_t>(first.turn), *first.turn);
  reportAt(*first.thread, "deadlock", first.place, text);
}

void waitForTurn(const uint32_t* turn, uint32_t rank, const char* file, int line) {
  Thread& me = currentThread();
  Block& block = *me.block;
  access(turn, sizeof *turn, Did::atomic, __builtin_return_address(0));
  block.takesTurns = true;
  // Other blocks may run in between even if the turn has come.
  if (!hasCome(turn, rank) || (block.grid->seed && block.random.below(2) == 0)) {
    block.waits.push_back({&me, turn, rank, {file, line}});
    block.suspend(me, "a turn", {file, line});
  }
  block.grid->turns->learn(me, turn);
}

void passTurn(uint32_t* turn) {
  Thread& me = currentThread();
  access(turn, sizeof *turn, Did::atomic, __builtin_return_address(0));
  me.block->takesTurns = true;
  me.block->grid->turns->pass(me, turn);
}

}  // namespace simt
