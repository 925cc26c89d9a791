#include "runtime/cuda/cuda-device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace crossmap::cuda {

namespace {

constexpr const char* kName = nameOf(kCudaKind).data();

// cudaMalloc aligns to 256 bytes and takes at least 2 MiB from the driver: small tensors share that.
constexpr AllocatorPolicy kDevicePolicy{.device = kName,
                                        .alignment = 256,
                                        .smallBytes = int64_t{64} << 10,
                                        .slabBytes = int64_t{1} << 20,
                                        .wastedEighths = 1};
constexpr AllocatorPolicy kPinnedPolicy{.device = "pinned memory",
                                        .alignment = 256,
                                        .smallBytes = int64_t{64} << 10,
                                        .slabBytes = int64_t{1} << 20,
                                        .wastedEighths = 1};

// Memory that the second stream writes first: of its blocks only those are taken that no op can still use.
constexpr CachingAllocator::Pool kUploads = 1;
// Pinned memory that the host reads.
constexpr CachingAllocator::Pool kDownloads = 1;

// A large copy goes through pinned memory in parts: the processor fills one while the device takes another.
constexpr int64_t kChunkBytes = int64_t{8} << 20;
constexpr int64_t kChunksAhead = 4;
// Pinned memory is taken from all of the system: more than this is not kept.
constexpr int64_t kMostPinnedCached = int64_t{256} << 20;

Architecture findArchitecture() {
  cudaDeviceProp properties{};
  if (const cudaError_t status = cudaGetDeviceProperties(&properties, 0); status != cudaSuccess)
    throw Error(ErrorCode::device, std::string(kName) + ": " + cudaGetErrorString(status));
  return {properties.major * 10 + properties.minor, properties.multiProcessorCount,
          static_cast<int64_t>(properties.sharedMemPerBlockOptin)};
}

// The emulator knows each tensor, also of those that share what cudaMalloc gave: it is written before it is
// read, within its bounds, and not after its release.
void becomesTensor([[maybe_unused]] cudaStream_t stream, [[maybe_unused]] void* memory,
                   [[maybe_unused]] int64_t bytes) {
#ifdef CROSSMAP_SIMT
  simt::claim(stream, memory, static_cast<size_t>(bytes));
#endif
}

bool isSet(const char* name) {
  const char* text = std::getenv(name);
  return text && *text && std::strcmp(text, "0") != 0;
}

}  // namespace

CudaDevice::OwnedStream::OwnedStream() {
  if (const cudaError_t status = cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking);
      status != cudaSuccess)
    throw Error(ErrorCode::device, std::string(kName) + ": " + cudaGetErrorString(status));
}

CudaDevice::OwnedStream::~OwnedStream() {
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

CudaDevice::CudaDevice()
    : architecture_(findArchitecture()),
      allocator_(deviceMemory_, kDevicePolicy),
      pinned_(pinnedMemory_, kPinnedPolicy),
      opsDone_(events_, ops_.get()),
      copiesDone_(events_, copies_.get()),
      slots_(ops_.get()),
      waitsForEach_(isSet("CROSSMAP_SYNCHRONOUS")),
      completions_(events_) {}

CudaDevice::~CudaDevice() {
  stop();
  // Kernels and copies may still use memory that goes next.
  cudaStreamSynchronize(ops_.get());
  cudaStreamSynchronize(copies_.get());
}

void CudaDevice::stop() { completions_.stop(); }

// ---- errors

void CudaDevice::checkAlive() const {
  if (!isLost_) return;
  const std::lock_guard lock(mutex_);
  throw *lost_;
}

void CudaDevice::check(const char* op, cudaError_t status) {
  if (status != cudaSuccess) throw failure(op, status);
}

Error CudaDevice::failure(const char* op, cudaError_t status) {
  const std::string text = cudaGetErrorString(status);
  cudaGetLastError();  // forgets an error that concerns one call alone
  if (status == cudaErrorMemoryAllocation) return {ErrorCode::outOfMemory, std::string(op) + ": " + text};
  const cudaError_t after = cudaStreamQuery(ops_.get());
  if (after == cudaSuccess || after == cudaErrorNotReady)
    return {ErrorCode::device, std::string(op) + ": " + text};
  const std::lock_guard lock(mutex_);
  if (!lost_) {
    const std::string where =
        waitsForEach_ ? std::string(op)
                      : std::string(op) + ", or an op before it (CROSSMAP_SYNCHRONOUS=1 tells which)";
    lost_.emplace(ErrorCode::device, std::string(kName) + ": the device has failed in " + where + ": " +
                                         text + "; it cannot be used any more by this process");
    isLost_ = true;
  }
  return *lost_;
}

void CudaDevice::launched(const char* op, cudaError_t status) {
  lastOp_ = op;
  if (status == cudaSuccess && waitsForEach_) status = cudaStreamSynchronize(ops_.get());
  check(op, status);
}

cudaStream_t CudaDevice::handle() const {
  checkAlive();
  return ops_.get();
}

// ---- memory

void* CudaDevice::allocate(int64_t bytes) {
  checkAlive();
  void* memory = allocator_.allocate(bytes);
  becomesTensor(ops_.get(), memory, bytes);
  return memory;
}

void CudaDevice::release(void* memory) {
  hasReleased_ = true;
#ifdef CROSSMAP_SIMT
  simt::disclaim(ops_.get(), memory);
#endif
  allocator_.release(memory, opsDone_.next());
}

void CudaDevice::emptyCache() {
  allocator_.takeCached();  // giving memory back waits for the work that uses it
  pinned_.takeCached();
}

// ---- copies

void* CudaDevice::upload(const void* from, int64_t bytes) {
  checkAlive();
  if (hasReleased_) {
    check("copyIn", opsDone_.mark());
    hasReleased_ = false;
  }
  void* memory = allocator_.allocate(bytes, kUploads, opsDone_.done());
  becomesTensor(copies_.get(), memory, bytes);
  try {
    for (int64_t at = 0; at < bytes; at += kChunkBytes)
      copyChunk(static_cast<char*>(memory) + at, static_cast<const char*>(from) + at,
                std::min(kChunkBytes, bytes - at));
    if (bytes > 0) check("copyIn", cudaStreamWaitEvent(ops_.get(), copiesDone_.latest(), 0));
  } catch (...) {
    release(memory);
    throw;
  }
  return memory;
}

void CudaDevice::copyChunk(char* to, const char* from, int64_t bytes) {
  // The host must not run ahead without bound, for each part that is under way holds pinned memory.
  check("copyIn", copiesDone_.wait(copiesDone_.next() - kChunksAhead));
  void* staged = pinned_.allocate(bytes, CachingAllocator::kMainPool, copiesDone_.done());
  std::memcpy(staged, from, static_cast<size_t>(bytes));
  const cudaError_t status =
      cudaMemcpyAsync(to, staged, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, copies_.get());
  pinned_.release(staged, copiesDone_.next());
  check("copyIn", status);
  check("copyIn", copiesDone_.mark());
}

void CudaDevice::copyOut(void* to, const void* from, int64_t bytes, Completion done) {
  checkAlive();
  if (bytes == 0) return synchronize(std::move(done));
  void* staged = pinned_.allocate(bytes, kDownloads);
  const auto giveBack = [this, staged] {
    pinned_.release(staged);
    if (pinned_.use().cached > kMostPinnedCached) pinned_.takeCached();
  };
  const auto size = static_cast<size_t>(bytes);
  try {
    check("copyOut", cudaMemcpyAsync(staged, from, size, cudaMemcpyDeviceToHost, ops_.get()));
    afterAll("copyOut", [=, this, done = std::move(done)](const std::optional<Error>& lost) {
      if (!lost) std::memcpy(to, staged, size);
      giveBack();
      done(lost ? lost : takeFault());
    });
  } catch (...) {
    giveBack();
    throw;
  }
}

void CudaDevice::copyWithin(void* to, const void* from, int64_t bytes) {
  if (bytes == 0) return;
  launched("copy", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, handle()));
}

// ---- synchronisation and faults

void CudaDevice::synchronize(Completion done) {
  afterAll("synchronize", [this, done = std::move(done)](const std::optional<Error>& lost) {
    done(lost ? lost : takeFault());
  });
}

void CudaDevice::onceExecuted(std::function<void()> after) {
  afterAll("onceExecuted", [after = std::move(after)](const std::optional<Error>&) { after(); });
}

void CudaDevice::afterAll(const char* op, std::function<void(const std::optional<Error>& lost)> then) {
  checkAlive();
  cudaError_t status;
  auto slots = slots_.take(status);
  check(op, status);
  const cudaEvent_t event = events_.record(ops_.get(), status);
  check(op, status);
  completions_.post(event, [this, slots = std::move(slots), then = std::move(then),
                            lastOp = lastOp_](cudaError_t executed) {
    if (executed != cudaSuccess) return then(failure(lastOp, executed));
    if (slots) keepFaults(slots);
    then(std::nullopt);
  });
}

void CudaDevice::keepFaults(const std::shared_ptr<SlotBlock>& slots) {
  if (auto found = slots->firstFault(); found && !fault_) fault_ = std::move(found);
  slots_.giveBack(slots);
}

std::optional<Error> CudaDevice::takeFault() {
  std::optional<Error> fault;
  fault.swap(fault_);
  return fault;
}

FaultSlot* CudaDevice::faultSlot(const char* op, ErrorCode code, FaultTextOfTwo text) {
  checkAlive();
  if (FaultSlot* slot = slots_.add({op, code, text})) return slot;
  afterAll(op, [](const std::optional<Error>&) {});
  return slots_.add({op, code, std::move(text)});
}

// ---- libraries

CublasLt* CudaDevice::cublasLt() {
#ifndef CROSSMAP_SIMT  // the library knows no emulator
  if (!hasLookedForCublasLt_) cublasLt_ = CublasLt::load();
#endif
  hasLookedForCublasLt_ = true;
  return cublasLt_.get();
}

Stream& streamOf(const Device& device) { return cudaOf(device); }
CudaDevice& cudaOf(const Device& device) { return static_cast<CudaDevice&>(device.backend()); }

}  // namespace crossmap::cuda
