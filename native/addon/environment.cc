#include "addon/environment.h"

#include <algorithm>
#include <thread>

#include "runtime/cpu/cpu-device.h"
#ifdef CROSSMAP_CUDA
#include "runtime/cuda/cuda-device.h"
#include "runtime/cuda/device-info.h"
#endif

namespace crossmap::addon {

namespace {

// V8 collects garbage where external memory has grown by some ten megabytes, and each step of a training
// grows and shrinks by that. So growth is told at once, from this much on, and what shrank only if it has not
// grown again within the window.
constexpr int64_t kReportStep = int64_t{1} << 20;
constexpr std::chrono::seconds kReportWindow{10};

constexpr const char* kNotBuilt = "this addon is built without it";

int defaultThreads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace

Napi::Error toJavaScript(Napi::Env env, const Error& error) {
  Napi::Error result = Napi::Error::New(env, error.what());
  result.Set("code", Napi::String::New(env, codeName(error.code())));
  return result;
}

Environment::Environment(Napi::Env env) : env_(env), threads_(defaultThreads()) {
  wake_ = Wake::New(env, "crossmap", 0, 1, this);
  wake_.Unref(env);
  // Runs before the hook that closes wake_: after it no device calls back any more.
  env.AddCleanupHook([](Environment* environment) { environment->stop(); }, this);
}

Environment::~Environment() { stop(); }

void Environment::stop() {
  if (cpu_) cpu_->backend().stop();
  if (cuda_) cuda_->backend().stop();
}

Device Environment::cpu() {
  if (!cpu_) cpu_.emplace(std::make_shared<cpu::CpuDevice>(threads_, cpu::chooseIsa(), profile_));
  return *cpu_;
}

const std::string& Environment::whyNoCuda() {
  if (!whyNoCuda_) {
#ifdef CROSSMAP_CUDA
    whyNoCuda_ = cuda::cudaInfo().reason;
#else
    whyNoCuda_ = kNotBuilt;
#endif
  }
  return *whyNoCuda_;
}

std::vector<std::string> Environment::deviceNames() {
  std::vector<std::string> names{"cpu"};
#ifdef CROSSMAP_CUDA
  // The emulator is there for tests: whoever wants it names it.
  constexpr bool kIsPreferred = cuda::kCudaKind == DeviceKind::cuda;
  if (whyNoCuda().empty())
    names.insert(kIsPreferred ? names.begin() : names.end(), std::string(nameOf(cuda::kCudaKind)));
#endif
  return names;
}

Device Environment::device(const std::string& name) {
  if (name == "cpu") return cpu();
  std::string reason = kNotBuilt;
#ifdef CROSSMAP_CUDA
  if (name == nameOf(cuda::kCudaKind)) {
    if (!cuda_ && whyNoCuda().empty()) cuda_.emplace(std::make_shared<cuda::CudaDevice>());
    if (cuda_) return *cuda_;
    reason = whyNoCuda();
  }
#endif
  std::string known;
  for (const std::string& each : deviceNames()) known += (known.empty() ? "" : " or ") + each;
  throw Error(ErrorCode::device, "device must be " + known + "; got " + name + ": " + reason);
}

void Environment::setThreads(int threads) {
  threads_ = threads;
  if (cpu_) cpu::cpuOf(*cpu_).setThreads(threads);
}

Napi::Promise Environment::promise(Napi::Object memory, const std::function<void(Completion)>& start) {
  auto deferred = Napi::Promise::Deferred::New(env_);
  const uint64_t id = keep({deferred, Napi::Persistent(memory)});
  if (promises_++ == 0) wake_.Ref(env_);
  start([this, id](std::optional<Error> fault) { post(id, std::move(fault)); });
  return deferred.Promise();
}

std::function<void()> Environment::hold(Napi::Object object) {
  const uint64_t id = keep({std::nullopt, Napi::Persistent(object)});
  return [this, id] { post(id, std::nullopt); };
}

uint64_t Environment::keep(Held held) {
  held_.emplace(nextId_, std::move(held));
  return nextId_++;
}

void Environment::post(uint64_t id, std::optional<Error> fault) {
  {
    const std::lock_guard lock(mutex_);
    settled_.push_back({id, std::move(fault)});
  }
  wake_.NonBlockingCall();
}

void Environment::onWake(Napi::Env env, Napi::Function, Environment* environment, void*) {
  if (static_cast<napi_env>(env) != nullptr) environment->settle();
}

void Environment::settle() {
  std::vector<Settled> settled;
  {
    const std::lock_guard lock(mutex_);
    settled.swap(settled_);
  }
  for (const Settled& each : settled) {
    auto node = held_.extract(each.id);
    if (!node.mapped().deferred) continue;
    if (--promises_ == 0) wake_.Unref(env_);
    if (each.fault)
      node.mapped().deferred->Reject(toJavaScript(env_, *each.fault).Value());
    else
      node.mapped().deferred->Resolve(env_.Undefined());
  }
}

void Environment::reportMemory() {
  int64_t allocated = 0;
  for (const auto* device : {&cpu_, &cuda_})
    if (*device) allocated += (*device)->backend().memoryUse().allocated;
  const auto now = std::chrono::steady_clock::now();
  windowPeak_ = std::max(windowPeak_, allocated);
  if (allocated > reportedBytes_ + kReportStep) return report(allocated);
  if (now < windowEnd_) return;
  if (windowPeak_ < reportedBytes_) report(windowPeak_);
  windowPeak_ = allocated;
  windowEnd_ = now + kReportWindow;
}

void Environment::report(int64_t bytes) {
  Napi::MemoryManagement::AdjustExternalMemory(env_, bytes - reportedBytes_);
  reportedBytes_ = bytes;
}

}  // namespace crossmap::addon
