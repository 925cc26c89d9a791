#include "runtime/cuda/cuda-device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

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

// Tells the emulator, which else sees only the blocks that tensors are cut from, where one begins and ends.
#ifdef CROSSMAP_SIMT
void claim(cudaStream_t stream, void* memory, int64_t bytes) {
  simt::claim(stream, memory, static_cast<size_t>(bytes));
}
void disclaim(cudaStream_t stream, void* memory) { simt::disclaim(stream, memory); }
#else
void claim(cudaStream_t, void*, int64_t) {}
void disclaim(cudaStream_t, void*) {}
#endif

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
  if (status == cudaSuccess && waitsForEach_ && !recording_) status = cudaStreamSynchronize(ops_.get());
  check(op, status);
}

cudaStream_t CudaDevice::handle() const {
  checkAlive();
  return ops_.get();
}

// ---- memory

void* CudaDevice::allocate(int64_t bytes) {
  checkAlive();
  void* memory =
      allocator_.allocate(bytes, recording_ ? recording_->memory->pool() : CachingAllocator::kMainPool);
  if (recording_) recording_->used.insert(memory);
  claim(ops_.get(), memory, bytes);
  return memory;
}

void CudaDevice::release(void* memory) {
  // The ops that are recorded may read it each time.
  if (recording_ && recording_->used.erase(memory) == 0) {
    recording_->held.push_back(memory);
    return;
  }
  hasReleased_ = true;
  disclaim(ops_.get(), memory);
  allocator_.release(memory, opsDone_.next());
}

void CudaDevice::emptyCache() {
  checkNotCapturing("emptyCache");
  allocator_.takeCached();  // giving memory back waits for the work that uses it
  pinned_.takeCached();
}

// ---- copies

void* CudaDevice::upload(const void* from, int64_t bytes) {
  checkAlive();
  checkNotCapturing("tensor");
  if (hasReleased_) {
    check("copyIn", opsDone_.mark());
    hasReleased_ = false;
  }
  void* memory = allocator_.allocate(bytes, kUploads, opsDone_.done());
  claim(copies_.get(), memory, bytes);
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
  checkNotCapturing("data");
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
  checkNotCapturing(op);
  struct Reading {
    std::shared_ptr<SlotBlock> slots;
    FaultSlot* read;
    bool isOver;  // the slots serve others now
  };
  std::vector<Reading> readings;
  const auto readSlots = [&](std::shared_ptr<SlotBlock> slots, bool isOver) {
    auto* read = static_cast<FaultSlot*>(pinned_.allocate(slots->bytes(), kDownloads));
    readings.push_back({std::move(slots), read, isOver});
    check(op, readings.back().slots->read(read, ops_.get()));
  };
  if (auto slots = slots_.take()) readSlots(std::move(slots), true);
  for (auto& slots : std::exchange(replayed_, {})) readSlots(std::move(slots), false);
  cudaError_t status;
  const cudaEvent_t event = events_.record(ops_.get(), status);
  check(op, status);
  completions_.post(event, [this, readings = std::move(readings), then = std::move(then),
                            lastOp = lastOp_](cudaError_t executed) {
    for (const auto& [slots, read, isOver] : readings) {
      if (executed == cudaSuccess) keepFaults(*slots, read);
      if (isOver) slots_.giveBack(slots);
      pinned_.release(read);
    }
    then(executed == cudaSuccess ? std::nullopt : std::optional(failure(lastOp, executed)));
  });
}

void CudaDevice::keepFaults(const SlotBlock& slots, const FaultSlot* read) {
  if (auto found = slots.firstFault(read); found && !fault_) fault_ = std::move(found);
}

std::optional<Error> CudaDevice::takeFault() {
  std::optional<Error> fault;
  fault.swap(fault_);
  return fault;
}

FaultSlot* CudaDevice::faultSlot(const char* op, ErrorCode code, FaultTextOfTwo text) {
  checkAlive();
  if (recording_) {
    auto& blocks = recording_->slots;
    if (blocks.empty() || blocks.back()->isFull()) blocks.push_back(emptySlots());
    return blocks.back()->add({op, code, std::move(text)});
  }
  if (FaultSlot* slot = slots_.add({op, code, text})) return slot;
  afterAll(op, [](const std::optional<Error>&) {});
  return slots_.add({op, code, std::move(text)});
}

std::shared_ptr<SlotBlock> CudaDevice::emptySlots() {
  auto slots = std::make_shared<SlotBlock>(copies_.get());
  check("capture", cudaStreamSynchronize(copies_.get()));
  return slots;
}

// ---- graphs

void CudaDevice::checkNotCapturing(const char* what) const {
  if (recording_) throw Error(ErrorCode::argument, std::string(what) + ": not while ops are recorded");
}

void CudaDevice::beginCapture(std::shared_ptr<RecordedMemory> shared) {
  checkAlive();
  checkNotCapturing("capture");
  if (!shared) shared = std::make_shared<RecordedMemory>(allocator_);
  // Relaxed: what else this thread asks of CUDA meanwhile, such as memory, is not part of the recording.
  if (const cudaError_t status = cudaStreamBeginCapture(ops_.get(), cudaStreamCaptureModeRelaxed);
      status != cudaSuccess)
    check("capture", status);
  recording_.emplace(Recording{std::move(shared), {}, {}, {}});
}

std::unique_ptr<CudaGraph> CudaDevice::endCapture() {
  if (!recording_) throw Error(ErrorCode::argument, "capture: nothing is being recorded");
  Recording recording = std::move(*recording_);
  recording_.reset();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t launchable = nullptr;
  cudaError_t status = cudaStreamEndCapture(ops_.get(), &graph);
  if (status == cudaSuccess) {
    status = cudaGraphInstantiate(&launchable, graph, 0);
    cudaGraphDestroy(graph);
  }
  if (status != cudaSuccess) {
    dropRecording(recording);
    throw failure("capture", status);
  }
  return std::make_unique<CudaGraph>(shared_from_this(), launchable, std::move(recording));
}

void CudaDevice::replay(cudaGraphExec_t launchable, const std::vector<std::shared_ptr<SlotBlock>>& slots) {
  checkNotCapturing("replay");
  launched("replay", cudaGraphLaunch(launchable, handle()));
  for (const auto& each : slots)
    if (std::find(replayed_.begin(), replayed_.end(), each) == replayed_.end()) replayed_.push_back(each);
}

void CudaDevice::dropRecording(Recording& recording) {
  recording.memory.reset();
  for (void* memory : recording.held) release(memory);
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
