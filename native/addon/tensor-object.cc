#include "addon/tensor-object.h"

#include "addon/convert.h"
#include "addon/environment.h"
#include "addon/guard.h"

namespace crossmap::addon {

namespace {

constexpr char kCopyOfTheAddon = 0;

// A copy of the addon, which may be of another version, has an address of its own: its tensors are none of
// ours.
napi_type_tag typeTag() { return {0x8d1c4a6f52e94b07, reinterpret_cast<uintptr_t>(&kCopyOfTheAddon)}; }

// Getters are free functions, which find their tensor by its tag: those of ObjectWrap unwrap whatever native
// object they are applied to as if it were one of ours. Methods need no such care, V8 checks their receiver.
const TensorObject& receiver(const Napi::CallbackInfo& info, const char* name) {
  const TensorObject* object = TensorObject::find(info.This());
  if (!object) throw Error(ErrorCode::argument, std::string(name) + ": the receiver must be a tensor");
  return *object;
}

const Tensor& livingReceiver(const Napi::CallbackInfo& info, const char* name) {
  return receiver(info, name).living(name);
}

Napi::Value shapeOf(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), livingReceiver(info, "shape").shape()); });
}

Napi::Value dtypeOf(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), livingReceiver(info, "dtype").dtype()); });
}

Napi::Value deviceOf(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), livingReceiver(info, "device").device().name()); });
}

Napi::Value isDisposed(const Napi::CallbackInfo& info) {
  return guarded(info,
                 [&] { return Napi::Boolean::New(info.Env(), !receiver(info, "isDisposed").tensor()); });
}

Napi::Value isShared(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    return Napi::Boolean::New(info.Env(), livingReceiver(info, "isShared").storage().use_count() > 1);
  });
}

template <Napi::Value (*get)(const Napi::CallbackInfo&)>
Napi::ClassPropertyDescriptor<TensorObject> getter(const char* name) {
  return static_cast<const napi_property_descriptor&>(Napi::PropertyDescriptor::Accessor<get>(name));
}

}  // namespace

void TensorObject::define(Napi::Env env) {
  Environment::of(env).tensorClass() =
      Napi::Persistent(DefineClass(env, "NativeTensor",
                                   {
                                       getter<shapeOf>("shape"),
                                       getter<dtypeOf>("dtype"),
                                       getter<deviceOf>("device"),
                                       getter<isDisposed>("isDisposed"),
                                       getter<isShared>("isShared"),
                                       InstanceMethod<&TensorObject::dispose>("dispose"),
                                       InstanceMethod<&TensorObject::retain>("retain"),
                                   }));
}

TensorObject::TensorObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TensorObject>(info) {
  if (info.Length() != 1 || !info[0].IsExternal())
    throw Napi::TypeError::New(info.Env(), "NativeTensor objects are made by ops");
  tensor_ = *info[0].As<Napi::External<Tensor>>().Data();
  const napi_type_tag tag = typeTag();
  info.This().As<Napi::Object>().TypeTag(&tag);
}

Napi::Object TensorObject::wrap(Napi::Env env, const Tensor& tensor) {
  Tensor copy = tensor;  // lives until New returns, which is when the constructor has copied it
  return Environment::of(env).tensorClass().New({Napi::External<Tensor>::New(env, &copy)});
}

TensorObject* TensorObject::find(const Napi::Value& value) {
  const napi_type_tag tag = typeTag();
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag)) return nullptr;
  return Unwrap(value.As<Napi::Object>());
}

const Tensor& TensorObject::living(const char* where) const {
  if (!tensor_) throw Error(ErrorCode::disposed, std::string(where) + ": the tensor has been disposed of");
  return *tensor_;
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
