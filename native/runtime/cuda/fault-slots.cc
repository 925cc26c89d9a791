#include "runtime/cuda/fault-slots.h"

#include <utility>

namespace crossmap::cuda {

namespace {

constexpr size_t kSlots = 512;

}  // namespace

SlotBlock::SlotBlock(cudaStream_t stream) {
  constexpr size_t kBytes = kSlots * sizeof(FaultSlot);
  void* onDevice = nullptr;
  void* onHost = nullptr;
  if (cudaMalloc(&onDevice, kBytes) != cudaSuccess ||
      cudaHostAlloc(&onHost, kBytes, cudaHostAllocDefault) != cudaSuccess ||
      cudaMemsetAsync(onDevice, 0xff, kBytes, stream) != cudaSuccess) {
    if (onDevice) cudaFree(onDevice);
    if (onHost) cudaFreeHost(onHost);
    cudaGetLastError();
    throw Error(ErrorCode::outOfMemory, "the slots for faults of ops could not be allocated");
  }
  onDevice_ = static_cast<FaultSlot*>(onDevice);
  onHost_ = static_cast<FaultSlot*>(onHost);
}

SlotBlock::~SlotBlock() {
  cudaFree(onDevice_);
  cudaFreeHost(onHost_);
}

bool SlotBlock::isFull() const { return sources_.size() == kSlots; }

FaultSlot* SlotBlock::add(FaultSource source) {
  sources_.push_back(std::move(source));
  return onDevice_ + sources_.size() - 1;
}

cudaError_t SlotBlock::read(cudaStream_t stream) {
  const size_t bytes = sources_.size() * sizeof(FaultSlot);
  const cudaError_t status = cudaMemcpyAsync(onHost_, onDevice_, bytes, cudaMemcpyDeviceToHost, stream);
  return status == cudaSuccess ? cudaMemsetAsync(onDevice_, 0xff, bytes, stream) : status;
}

std::optional<Error> SlotBlock::firstFault() const {
  for (const FaultSource& source : sources_) {
    const FaultSlot& slot = onHost_[&source - sources_.data()];
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

std::shared_ptr<SlotBlock> FaultSlots::take(cudaError_t& status) {
  status = cudaSuccess;
  if (!current_ || current_->isEmpty()) return nullptr;
  status = current_->read(stream_);
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
