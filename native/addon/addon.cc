// What the addon exports beside the ops: making, viewing and reading tensors, and the device.
#include <napi.h>

#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "addon/convert.h"
#include "addon/environment.h"
#include "addon/graph-object.h"
#include "addon/guard.h"
#include "addon/mapped-file.h"
#include "addon/op-table.h"
#include "addon/peak.h"
#include "addon/plan-table.h"
#include "addon/profile.h"
#include "addon/tensor-object.h"
#ifdef CROSSMAP_CUDA
#include "runtime/cuda/device-info.h"
#endif
#ifdef CROSSMAP_SIMT
#include "addon/simt.h"
#endif

namespace crossmap::addon {

namespace {

// The memory of a typed array: until JavaScript runs again, which may take it away. Other conversions read
// properties, and so may run getters: they come first.
struct Bytes {
  void* data;
  int64_t size;
};

Bytes bytesOf(const Napi::Value& value, const Where& where) {
  if (!value.IsTypedArray()) where.refuse("a typed array", value);
  const auto array = value.As<Napi::TypedArray>();
  if (!array.ArrayBuffer().IsArrayBuffer())
    throw Error(ErrorCode::argument, where.text + " must be a typed array whose buffer is not shared");
  auto* start = static_cast<char*>(array.ArrayBuffer().Data());
  return {start + array.ByteOffset(), static_cast<int64_t>(array.ByteLength())};
}

// The same for work that goes on when the call has returned.
Bytes lastingBytesOf(const Napi::Value& value, const Where& where) {
  const Bytes bytes = bytesOf(value, where);
  const Napi::Value resizable = value.As<Napi::TypedArray>().ArrayBuffer().Get("resizable");
  if (resizable.IsBoolean() && resizable.As<Napi::Boolean>().Value())
    throw Error(ErrorCode::argument, where.text + " must be a typed array whose buffer has a fixed length");
  return bytes;
}

void checkSize(const char* op, const Bytes& bytes, const Shape& shape, DType dtype) {
  const int64_t needed = shape.elements() * sizeOf(dtype);
  if (bytes.size != needed)
    throw Error(ErrorCode::shape, std::string(op) + ": " + shape.text() + " of " +
                                      std::string(nameOf(dtype)) + " takes " + std::to_string(needed) +
                                      " bytes; the array has " + std::to_string(bytes.size));
}

// fromArray(array, shape, dtype, device): copies the elements.
Napi::Value fromArray(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto shape = fromValue<Shape>(info[1], {"tensor: shape"});
    const auto dtype = fromValue<DType>(info[2], {"tensor: dtype"});
    const auto device = fromValue<Device>(info[3], {"tensor: device"});
    const Bytes bytes = bytesOf(info[0], {"tensor: data"});
    checkSize("tensor", bytes, shape, dtype);
    return toValue(info.Env(), uploaded(bytes.data, shape, dtype, device));
  });
}

// empty(shape, dtype, device): what the memory holds.
Napi::Value emptyTensor(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto shape = fromValue<Shape>(info[0], {"empty: shape"});
    const auto dtype = fromValue<DType>(info[1], {"empty: dtype"});
    return toValue(info.Env(), empty(shape, dtype, fromValue<Device>(info[2], {"empty: device"})));
  });
}

// adoptArray(array, shape, dtype): the array's own memory as a tensor of the CPU device. The caller has made
// sure that nobody else has the array.
Napi::Value adoptArray(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto shape = fromValue<Shape>(info[1], {"tensor: shape"});
    const auto dtype = fromValue<DType>(info[2], {"tensor: dtype"});
    const Bytes bytes = lastingBytesOf(info[0], {"tensor: data"});
    checkSize("tensor", bytes, shape, dtype);
    Environment& environment = Environment::of(info.Env());
    auto storage = std::make_shared<Storage>(environment.cpu(), bytes.data, bytes.size,
                                             environment.hold(info[0].As<Napi::Object>()));
    return toValue(info.Env(), Tensor(std::move(storage), 0, shape, dtype));
  });
}

// copyTo(tensor, array): Promise<void>. Rejects with the first fault of the ops before it. The caller keeps
// the array attached until then.
Napi::Value copyTo(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto tensor = fromValue<Tensor>(info[0], {"data: tensor"});
    const Bytes bytes = lastingBytesOf(info[1], {"data: array"});
    checkSize("data", bytes, tensor.shape(), tensor.dtype());
    return Environment::of(info.Env()).promise(info[1].As<Napi::Object>(), [&](Completion done) {
      tensor.device().backend().copyOut(bytes.data, tensor.raw(), bytes.size, std::move(done));
    });
  });
}

// copyToNow(tensor, array): like copyTo, but this thread waits.
Napi::Value copyToNow(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto tensor = fromValue<Tensor>(info[0], {"dataSync: tensor"});
    const Bytes bytes = bytesOf(info[1], {"dataSync: array"});
    checkSize("dataSync", bytes, tensor.shape(), tensor.dtype());
    // Shared: the completion's own call may end after the wait has.
    const auto done = std::make_shared<std::promise<std::optional<Error>>>();
    std::future<std::optional<Error>> fault = done->get_future();
    tensor.device().backend().copyOut(
        bytes.data, tensor.raw(), bytes.size,
        [done](std::optional<Error> found) { done->set_value(std::move(found)); });
    if (const std::optional<Error> found = fault.get()) throw *found;
    return info.Env().Undefined();
  });
}

// copyInto(to, from): the elements of `from` into the memory of `to`, in order with the ops.
Napi::Value copyInto(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto to = fromValue<Tensor>(info[0], {"copyInto: to"});
    const auto from = fromValue<Tensor>(info[1], {"copyInto: from"});
    Expect("copyInto")
        .sameShape("from", from, "to", to)
        .sameDType("from", from, "to", to)
        .sameDevice("from", from, "to", to);
    to.device().backend().copyWithin(to.raw(), from.raw(), to.bytes());
    return info.Env().Undefined();
  });
}

// view(tensor, shape, offset): the same memory from element `offset` on.
Napi::Value view(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto tensor = fromValue<Tensor>(info[0], {"view: tensor"});
    const auto shape = fromValue<Shape>(info[1], {"view: shape"});
    return toValue(info.Env(), tensor.view(shape, fromValue<int64_t>(info[2], {"view: offset"})));
  });
}

// synchronize(device): Promise<void>, once everything enqueued has been executed. Rejects with the first
// fault.
Napi::Value synchronize(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto device = fromValue<Device>(info[0], {"synchronize: device"});
    return Environment::of(info.Env()).promise(Napi::Object::New(info.Env()), [&](Completion done) {
      device.backend().synchronize(std::move(done));
    });
  });
}

struct MemoryReport {
  int64_t allocatedBytes;
  int64_t cachedBytes;
  int64_t peakBytes;

  static constexpr auto fields() {
    return std::tuple(field("allocatedBytes", &MemoryReport::allocatedBytes),
                      field("cachedBytes", &MemoryReport::cachedBytes),
                      field("peakBytes", &MemoryReport::peakBytes));
  }
};

Napi::Value memory(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto use = fromValue<Device>(info[0], {"memory: device"}).backend().memoryUse();
    return toValue(info.Env(), MemoryReport{use.allocated, use.cached, use.peak});
  });
}

Napi::Value resetPeak(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    fromValue<Device>(info[0], {"resetPeak: device"}).backend().resetPeak();
    return info.Env().Undefined();
  });
}

Napi::Value emptyCache(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    fromValue<Device>(info[0], {"emptyCache: device"}).backend().emptyCache();
    return info.Env().Undefined();
  });
}

// devices(): the names of those that this build and machine have, the preferred one first.
Napi::Value devices(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), Environment::of(info.Env()).deviceNames()); });
}

Napi::Value setThreads(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto threads = fromValue<int>(info[0], {"setThreads: threads"});
    Expect("setThreads").between("threads", threads, 1, 1024);
    Environment::of(info.Env()).setThreads(threads);
    return info.Env().Undefined();
  });
}

struct CpuReport {
  std::string instructionSet;
  int threads;

  static constexpr auto fields() {
    return std::tuple(field("instructionSet", &CpuReport::instructionSet),
                      field("threads", &CpuReport::threads));
  }
};

Napi::Value cpuInfo(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const Device device = Environment::of(info.Env()).cpu();
    const cpu::CpuDevice& cpu = cpu::cpuOf(device);
    return toValue(info.Env(), CpuReport{std::string(nameOf(cpu.isa())), cpu.threads()});
  });
}

#ifdef CROSSMAP_CUDA
// cudaInfo(): what this build can do with the GPU of this machine; undefined in a build without CUDA.
Napi::Value cudaInfo(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), cuda::cudaInfo()); });
}
#else
Napi::Value cudaInfo(const Napi::CallbackInfo& info) { return info.Env().Undefined(); }
#endif

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(std::make_unique<Environment>(env).release());
  TensorObject::define(env);
  GraphObject::define(env);
  const auto add = [&]<auto function>(const char* name) {
    exports.Set(name, Napi::Function::New<function>(env, name));
  };
  add.operator()<fromArray>("fromArray");
  add.operator()<emptyTensor>("empty");
  add.operator()<adoptArray>("adoptArray");
  add.operator()<copyTo>("copyTo");
  add.operator()<copyToNow>("copyToNow");
  add.operator()<copyInto>("copyInto");
  add.operator()<view>("view");
  add.operator()<synchronize>("synchronize");
  add.operator()<memory>("memory");
  add.operator()<resetPeak>("resetPeak");
  add.operator()<emptyCache>("emptyCache");
  add.operator()<devices>("devices");
  add.operator()<canCapture>("canCapture");
  add.operator()<beginCapture>("beginCapture");
  add.operator()<endCapture>("endCapture");
  add.operator()<replay>("replay");
  add.operator()<setThreads>("setThreads");
  add.operator()<cpuInfo>("cpuInfo");
  add.operator()<cudaInfo>("cudaInfo");
  add.operator()<plans>("plans");
  add.operator()<multiplyAdds>("multiplyAdds");
  add.operator()<runPeakLoops>("runPeakLoops");
  add.operator()<mapFile>("mapFile");
  add.operator()<profileStart>("profileStart");
  add.operator()<profileStop>("profileStop");
  add.operator()<profileTake>("profileTake");
  add.operator()<profilePending>("profilePending");
  add.operator()<profileEnter>("profileEnter");
  add.operator()<profileLeave>("profileLeave");
  add.operator()<leaveOutKernels>("leaveOutKernels");
#ifdef CROSSMAP_SIMT
  add.operator()<simtProfile>("simtProfile");
  add.operator()<simtSeed>("simtSeed");
  add.operator()<simtBlocks>("simtBlocks");
  add.operator()<simtLeaveOutLaunches>("simtLeaveOutLaunches");
  add.operator()<simtCounters>("simtCounters");
  add.operator()<simtLaunchShapes>("simtLaunchShapes");
#endif
  exportOps(env, exports);
  return exports;
}

}  // namespace

// The macro declares a function of this name outside any namespace of ours.
Napi::Object initializeAddon(Napi::Env env, Napi::Object exports) { return initialize(env, exports); }

}  // namespace crossmap::addon

using crossmap::addon::initializeAddon;
NODE_API_MODULE(crossmap, initializeAddon)
