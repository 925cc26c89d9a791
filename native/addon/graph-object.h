#pragma once
#include <napi.h>

#include <memory>
#include <string>

#ifdef CROSSMAP_CUDA
#include "runtime/cuda/cuda-graph.h"
#endif

namespace crossmap::addon {

#ifdef CROSSMAP_CUDA
using Graph = cuda::CudaGraph;
#else
// A build without CUDA records nothing.
struct Graph {
  void replay() {}
  std::nullptr_t memory() const { return nullptr; }
};
#endif

// The JavaScript object that holds recorded ops; lib/native.ts describes it as NativeGraph.
class GraphObject : public Napi::ObjectWrap<GraphObject> {
 public:
  explicit GraphObject(const Napi::CallbackInfo& info);

  static void define(Napi::Env env);
  // Throws ERR_ARGUMENT where the value is no such object, ERR_DISPOSED.
  static Graph& of(const Napi::Value& value, const std::string& where);

 private:
  Napi::Value dispose(const Napi::CallbackInfo& info);

  std::unique_ptr<Graph> graph_;  // nothing once it was disposed of
};

// canCapture(device): whether the device can record ops.
Napi::Value canCapture(const Napi::CallbackInfo& info);

// beginCapture(device, sharing?): from here on ops on the device are recorded instead of executed, in the
// memory of the recorded ops that are given, or in memory of their own.
Napi::Value beginCapture(const Napi::CallbackInfo& info);

// endCapture(device): the ops since beginCapture, as an object that holds them until its dispose().
Napi::Value endCapture(const Napi::CallbackInfo& info);

// replay(graph): enqueues the recorded ops.
Napi::Value replay(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
