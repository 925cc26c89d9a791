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

 private:
  Napi::Value shape(const Napi::CallbackInfo& info);
  Napi::Value dtype(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value isDisposed(const Napi::CallbackInfo& info);
  Napi::Value isShared(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);
  Napi::Value retain(const Napi::CallbackInfo& info);

  const Tensor& living(const char* where) const;

  std::optional<Tensor> tensor_;
};

}  // namespace crossmap::addon
