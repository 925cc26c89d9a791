#include "runtime/cuda/fault-slots.h"

#include <utility>

namespace crossmap::cuda {

namespace {

constexpr size_t kSlots = 512;

}  // namespace

SlotBlock::SlotBlock(cudaStream_t stream) {
  constexpr size_t kBytes = kSlots * sizeof(FaultSlot);
  void* memory = nullptr;
  if (cudaMalloc(&memory, kBytes) != cudaSuccess ||
      cudaMemsetAsync(memory, 0xff, kBytes, stream) != cudaSuccess) {
    if (memory) cudaFree(memory);
    cudaGetLastError();
    throw Error(ErrorCode::outOfMemory, "the slots for faults of ops could not be allocated");
  }
  onDevice_ = static_cast<FaultSlot*>(memory);
}

SlotBlock::~SlotBlock() { cudaFree(onDevice_); }

bool SlotBlock::isFull() const { return sources_.size() == kSlots; }

FaultSlot* SlotBlock::add(FaultSource source) {
  sources_.push_back(std::move(source));
  return onDevice_ + sources_.size() - 1;
}

cudaError_t SlotBlock::read(FaultSlot* to, cudaStream_t stream) const {
  const auto size = static_cast<size_t>(bytes());
  const cudaError_t status = cudaMemcpyAsync(to, onDevice_, size, cudaMemcpyDeviceToHost, stream);
  return status == cudaSuccess ? cudaMemsetAsync(onDevice_, 0xff, size, stream) : status;
}

std::optional<Error> SlotBlock::firstFault(const FaultSlot* read) const {
  for (const FaultSource& source : sources_) {
    const FaultSlot& slot = read[&source - sources_.data()];
    if (slot.report == kNoFault) continue;
    const auto index = static_cast<int64_t>(slot.report >> 32);
    const auto low = [](uint64_t report) { return static_cast<int32_t>(static_cast<uint32_t>(report)); };
    return Error(source.code,
                 std::string(source.op) + ": " + source.text(index, low(slot.report), low(slot.other)));
  }
  return std::nullopt;
}

FaultSlot* FaultSlots::add(FaultSource source) {
  if (!current_) current_ = empty();
  return current_->isFull() ? nullptr : current_->add(std::move(source));
}

std::shared_ptr<SlotBlock> FaultSlots::take() {
  if (!current_ || current_->isEmpty()) return nullptr;
  return std::exchange(current_, nullptr);
}

std::shared_ptr<SlotBlock> FaultSlots::empty() {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto block = std::move(free_.back());
      free_.pop_back();
      return block;
    }
  }
  return std::make_shared<SlotBlock>(stream_);
}

void FaultSlots::giveBack(std::shared_ptr<SlotBlock> block) {
  block->clear();
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(block));
}

}  // namespace crossmap::cuda
