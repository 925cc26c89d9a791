#pragma once
#include <napi.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cpu/cpu-device.h"
#include "runtime/device.h"
#include "runtime/profile.h"

namespace crossmap::addon {

// All state of one Node environment: the main thread or a worker thread. Devices are made when first used.
class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // Throws ERR_DEVICE for a device that this build or machine does not have.
  Device device(const std::string& name);
  Device cpu();
  // Whether the CUDA of this build, or its emulator, can be used.
  bool hasCuda() { return whyNoCuda().empty(); }
  // Of the devices that can be used, the preferred one first.
  std::vector<std::string> deviceNames();
  // Threads of the CPU device, the executor included.
  void setThreads(int threads);
  Profile& profile() { return *profile_; }

  Napi::FunctionReference& tensorClass() { return tensorClass_; }
  Napi::FunctionReference& graphClass() { return graphClass_; }

  // A promise that `start` settles by calling its completion from any thread. `memory` is kept from the
  // garbage collector until then.
  Napi::Promise promise(Napi::Object memory, const std::function<void(Completion)>& start);

  // Keeps an object until the returned function is called, from any thread.
  std::function<void()> hold(Napi::Object object);

  // Tells V8 how much native memory hangs on its objects.
  void reportMemory();

 private:
  struct Held {
    std::optional<Napi::Promise::Deferred> deferred;
    Napi::ObjectReference object;
  };
  struct Settled {
    uint64_t id;
    std::optional<Error> fault;
  };

  static void onWake(Napi::Env env, Napi::Function callback, Environment* environment, void* data);
  using Wake = Napi::TypedThreadSafeFunction<Environment, void, onWake>;

  const std::string& whyNoCuda();
  uint64_t keep(Held held);
  void post(uint64_t id, std::optional<Error> fault);
  void settle();
  void report(int64_t bytes);
  void stop();

  Napi::Env env_;
  Napi::FunctionReference tensorClass_;
  Napi::FunctionReference graphClass_;
  std::optional<Device> cpu_;
  std::optional<Device> cuda_;
  std::optional<std::string> whyNoCuda_;  // once it was looked for; empty where it can be used
  int threads_;
  const std::shared_ptr<Profile> profile_ = std::make_shared<Profile>();
  Wake wake_;
  std::map<uint64_t, Held> held_;  // touched by the JavaScript thread alone, like all down to mutex_
  uint64_t nextId_ = 0;
  int64_t promises_ = 0;
  int64_t reportedBytes_ = 0;
  int64_t windowPeak_ = 0;
  std::chrono::steady_clock::time_point windowEnd_{};
  std::mutex mutex_;
  std::vector<Settled> settled_;  // guarded by mutex_
};

// A JavaScript error with the code of a CrossmapError; lib/native.ts makes one of it.
Napi::Error toJavaScript(Napi::Env env, const Error& error);

}  // namespace crossmap::addon
