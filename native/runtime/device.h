#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/error.h"

namespace crossmap {

enum class DeviceKind { cpu, cuda, simt };

constexpr auto enumNames(DeviceKind) {
  using namespace std::string_view_literals;
  return std::array{"cpu"sv, "cuda"sv, "simt"sv};
}

constexpr std::string_view nameOf(DeviceKind kind) { return enumNames(kind)[static_cast<size_t>(kind)]; }

struct MemoryUse {
  int64_t allocated;  // bytes of living tensors
  int64_t cached;     // bytes kept for the next tensors
  int64_t peak;       // most bytes allocated at one time since the last reset
};

// Called once, on a thread of the device, with the first fault since the last synchronisation, if there was
// one.
using Completion = std::function<void(std::optional<Error>)>;

// What every kind of device does. All work is ordered: an op, a copy or a completion sees what was enqueued
// before it, and memory that was released can be handed out again at once, since its next use is enqueued
// later.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual DeviceKind kind() const = 0;

  // Throws ERR_OUT_OF_MEMORY. The contents are arbitrary.
  virtual void* allocate(int64_t bytes) = 0;
  virtual void release(void* memory) = 0;
  virtual MemoryUse memoryUse() const = 0;
  virtual void resetPeak() = 0;
  // Gives memory that is cached now back to the system, in order with the work.
  virtual void emptyCache() = 0;

  // Memory like that of allocate, with a copy of `from`, which may change as soon as the call returns.
  virtual void* upload(const void* from, int64_t bytes) = 0;
  // `to` must live until `done` is called.
  virtual void copyOut(void* to, const void* from, int64_t bytes, Completion done) = 0;
  virtual void copyWithin(void* to, const void* from, int64_t bytes) = 0;
  // Calls `done` once everything enqueued so far has been executed.
  virtual void synchronize(Completion done) = 0;
  // Calls `after` like synchronize, but leaves faults for the next synchronisation.
  virtual void onceExecuted(std::function<void()> after) = 0;
  // Ends the device: work that has not begun is dropped, no completion is called any more.
  virtual void stop() = 0;
};

// A handle; two are equal if they mean the same device of the same environment.
class Device {
 public:
  explicit Device(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

  DeviceKind kind() const { return backend_->kind(); }
  std::string name() const { return std::string(nameOf(kind())); }
  Backend& backend() const { return *backend_; }
  bool operator==(const Device&) const = default;

 private:
  std::shared_ptr<Backend> backend_;
};

}  // namespace crossmap
