#include "addon/tensor-object.h"

#include "addon/convert.h"
#include "addon/environment.h"
#include "addon/guard.h"

namespace crossmap::addon {

namespace {

constexpr napi_type_tag kTypeTag = {0x8d1c4a6f52e94b07, 0x9f3b7e20c6d51a48};

}  // namespace

void TensorObject::define(Napi::Env env) {
  Environment::of(env).tensorClass() =
      Napi::Persistent(DefineClass(env, "NativeTensor",
                                   {
                                       InstanceAccessor<&TensorObject::shape>("shape"),
                                       InstanceAccessor<&TensorObject::dtype>("dtype"),
                                       InstanceAccessor<&TensorObject::device>("device"),
                                       InstanceAccessor<&TensorObject::isDisposed>("isDisposed"),
                                       InstanceAccessor<&TensorObject::isShared>("isShared"),
                                       InstanceMethod<&TensorObject::dispose>("dispose"),
                                       InstanceMethod<&TensorObject::retain>("retain"),
                                   }));
}

TensorObject::TensorObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TensorObject>(info) {
  if (info.Length() != 1 || !info[0].IsExternal())
    throw Napi::TypeError::New(info.Env(), "NativeTensor objects are made by ops");
  tensor_ = *info[0].As<Napi::External<Tensor>>().Data();
  info.This().As<Napi::Object>().TypeTag(&kTypeTag);
}

Napi::Object TensorObject::wrap(Napi::Env env, const Tensor& tensor) {
  Tensor copy = tensor;  // lives until New returns, which is when the constructor has copied it
  return Environment::of(env).tensorClass().New({Napi::External<Tensor>::New(env, &copy)});
}

TensorObject* TensorObject::find(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTypeTag)) return nullptr;
  return Unwrap(value.As<Napi::Object>());
}

const Tensor& TensorObject::living(const char* where) const {
  if (!tensor_) throw Error(ErrorCode::disposed, std::string(where) + ": the tensor has been disposed of");
  return *tensor_;
}

Napi::Value TensorObject::shape(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), living("shape").shape()); });
}

Napi::Value TensorObject::dtype(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), living("dtype").dtype()); });
}

Napi::Value TensorObject::device(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), living("device").device().name()); });
}

Napi::Value TensorObject::isDisposed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), !tensor_);
}

Napi::Value TensorObject::isShared(const Napi::CallbackInfo& info) {
  return guarded(
      info, [&] { return Napi::Boolean::New(info.Env(), living("isShared").storage().use_count() > 1); });
}

Napi::Value TensorObject::dispose(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    tensor_.reset();
    return info.Env().Undefined();
  });
}

Napi::Value TensorObject::retain(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return wrap(info.Env(), living("retain")); });
}

}  // namespace crossmap::addon
