#pragma once
#include <napi.h>

#include <optional>

#include "runtime/tensor.h"

namespace crossmap::addon {

// The JavaScript object that holds a tensor; lib/native.ts describes it as NativeTensor.
class TensorObject : public Napi::ObjectWrap<TensorObject> {
 public:
  explicit TensorObject(const Napi::CallbackInfo& info);

  static void define(Napi::Env env);
  static Napi::Object wrap(Napi::Env env, const Tensor& tensor);
  // Nothing where the value is no tensor object.
  static TensorObject* find(const Napi::Value& value);

  // Nothing once it was disposed of.
  const std::optional<Tensor>& tensor() const { return tensor_; }
  // Throws ERR_DISPOSED, with the name of what was asked for.
  const Tensor& living(const char* where) const;

 private:
  Napi::Value dispose(const Napi::CallbackInfo& info);
  Napi::Value retain(const Napi::CallbackInfo& info);

  std::optional<Tensor> tensor_;
};

}  // namespace crossmap::addon
