#include "addon/graph-object.h"

#include "addon/convert.h"
#include "addon/environment.h"
#include "addon/guard.h"
#ifdef CROSSMAP_CUDA
#include "runtime/cuda/cuda-device.h"
#endif

namespace crossmap::addon {

namespace {

constexpr char kCopyOfTheAddon = 0;

// As that of tensors: recordings of another copy of the addon are none of ours.
napi_type_tag typeTag() { return {0x5e0b7c1f93d84a26, reinterpret_cast<uintptr_t>(&kCopyOfTheAddon)}; }

#ifdef CROSSMAP_CUDA
using Recorder = cuda::CudaDevice;
#else
struct Recorder {
  void beginCapture(std::nullptr_t) {}
  std::unique_ptr<Graph> endCapture() { return nullptr; }
};
#endif

// Nothing where the device records nothing.
Recorder* findRecorder(const Device& device) {
#ifdef CROSSMAP_CUDA
  if (device.kind() == cuda::kCudaKind) return &cuda::cudaOf(device);
#endif
  return nullptr;
}

// Throws ERR_DEVICE where the device records nothing.
Recorder& recorderOf(const Device& device) {
  if (Recorder* recorder = findRecorder(device)) return *recorder;
  throw Error(ErrorCode::device, "captured: the device " + device.name() + " records no ops");
}

}  // namespace

void GraphObject::define(Napi::Env env) {
  Environment::of(env).graphClass() =
      Napi::Persistent(DefineClass(env, "NativeGraph", {InstanceMethod<&GraphObject::dispose>("dispose")}));
}

GraphObject::GraphObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<GraphObject>(info) {
  if (info.Length() != 1 || !info[0].IsExternal())
    throw Napi::TypeError::New(info.Env(), "NativeGraph objects are made by endCapture");
  graph_ = std::move(*info[0].As<Napi::External<std::unique_ptr<Graph>>>().Data());
  const napi_type_tag tag = typeTag();
  info.This().As<Napi::Object>().TypeTag(&tag);
}

Graph& GraphObject::of(const Napi::Value& value, const std::string& where) {
  const napi_type_tag tag = typeTag();
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag))
    throw Error(ErrorCode::argument, where + ": the argument must be recorded ops");
  GraphObject* object = Unwrap(value.As<Napi::Object>());
  if (!object->graph_) throw Error(ErrorCode::disposed, where + ": the recorded ops have been disposed of");
  return *object->graph_;
}

Napi::Value GraphObject::dispose(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    graph_.reset();
    return info.Env().Undefined();
  });
}

Napi::Value canCapture(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const bool can = findRecorder(fromValue<Device>(info[0], {"canCapture: device"})) != nullptr;
    return Napi::Boolean::New(info.Env(), can);
  });
}

Napi::Value beginCapture(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    Recorder& recorder = recorderOf(fromValue<Device>(info[0], {"captured: device"}));
    recorder.beginCapture(info[1].IsUndefined() ? nullptr : GraphObject::of(info[1], "captured").memory());
    return info.Env().Undefined();
  });
}

Napi::Value endCapture(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    std::unique_ptr<Graph> graph = recorderOf(fromValue<Device>(info[0], {"captured: device"})).endCapture();
    const auto external = Napi::External<std::unique_ptr<Graph>>::New(info.Env(), &graph);
    return Environment::of(info.Env()).graphClass().New({external});
  });
}

Napi::Value replay(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    GraphObject::of(info[0], "replay").replay();
    return info.Env().Undefined();
  });
}

}  // namespace crossmap::addon
