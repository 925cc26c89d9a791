#pragma once
// Values of JavaScript to those of C++ and back. What an op's signature may hold: tensors, numbers, booleans,
// strings, enums (by enumNames), shapes, devices, vectors, optionals, and structs of these (by fields).
#include <napi.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "addon/environment.h"
#include "addon/tensor-object.h"
#include "runtime/expect.h"
#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap::addon {

// Which value is being converted, for messages: `attention: options.scale`.
struct Where {
  std::string text;

  Where member(std::string_view name) const { return {text + "." + std::string(name)}; }
  Where item(uint32_t index) const { return {text + "[" + std::to_string(index) + "]"}; }

  [[noreturn]] void refuse(const std::string& expected, const Napi::Value& got) const {
    throw Error(ErrorCode::argument, text + " must be " + expected + "; got " + describe(got));
  }

 private:
  static std::string describe(const Napi::Value& value) {
    if (value.IsString()) return "'" + value.As<Napi::String>().Utf8Value() + "'";
    if (value.IsNumber()) return numberText(value.As<Napi::Number>().DoubleValue());
    if (value.IsBoolean()) return value.As<Napi::Boolean>().Value() ? "true" : "false";
    if (value.IsUndefined()) return "undefined";
    if (value.IsNull()) return "null";
    if (value.IsArray()) return "an array";
    if (value.IsFunction()) return "a function";
    return value.IsObject() ? "an object" : "a value of another type";
  }
};

// Of an array: more than any op takes.
inline constexpr uint32_t kMostItems = 1 << 20;

template <typename T>
struct Convert;

template <typename T>
T fromValue(const Napi::Value& value, const Where& where) {
  return Convert<T>::from(value, where);
}

template <typename T>
Napi::Value toValue(Napi::Env env, const T& value) {
  return Convert<T>::to(env, value);
}

template <>
struct Convert<Tensor> {
  static Tensor from(const Napi::Value& value, const Where& where) {
    const TensorObject* object = TensorObject::find(value);
    if (!object) where.refuse("a tensor", value);
    if (!object->tensor()) throw Error(ErrorCode::disposed, where.text + " has been disposed of");
    return *object->tensor();
  }
  static Napi::Value to(Napi::Env env, const Tensor& tensor) { return TensorObject::wrap(env, tensor); }
};

template <>
struct Convert<bool> {
  static bool from(const Napi::Value& value, const Where& where) {
    if (!value.IsBoolean()) where.refuse("true or false", value);
    return value.As<Napi::Boolean>().Value();
  }
  static Napi::Value to(Napi::Env env, bool value) { return Napi::Boolean::New(env, value); }
};

template <std::floating_point T>
struct Convert<T> {
  static T from(const Napi::Value& value, const Where& where) {
    if (!value.IsNumber()) where.refuse("a number", value);
    return static_cast<T>(value.As<Napi::Number>().DoubleValue());
  }
  static Napi::Value to(Napi::Env env, T value) { return Napi::Number::New(env, static_cast<double>(value)); }
};

template <std::integral T>
struct Convert<T> {
  static T from(const Napi::Value& value, const Where& where) {
    if (!value.IsNumber()) where.refuse("a whole number", value);
    const double number = value.As<Napi::Number>().DoubleValue();
    const auto lowest = static_cast<double>(std::numeric_limits<T>::lowest());
    const auto highest = static_cast<double>(std::numeric_limits<T>::max());
    if (number != std::trunc(number) || std::abs(number) > 0x1p53 || number < lowest || number > highest)
      where.refuse("a whole number" + std::string(sizeof(T) < 8 ? " in range" : ""), value);
    return static_cast<T>(number);
  }
  static Napi::Value to(Napi::Env env, T value) { return Napi::Number::New(env, static_cast<double>(value)); }
};

template <>
struct Convert<std::string> {
  static std::string from(const Napi::Value& value, const Where& where) {
    if (!value.IsString()) where.refuse("a text", value);
    return value.As<Napi::String>().Utf8Value();
  }
  static Napi::Value to(Napi::Env env, const std::string& value) { return Napi::String::New(env, value); }
};

template <typename T>
requires std::is_enum_v<T>
struct Convert<T> {
  static T from(const Napi::Value& value, const Where& where) {
    constexpr auto names = enumNames(T{});
    std::string expected = "one of";
    const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
    for (size_t index = 0; index < names.size(); index++) {
      if (value.IsString() && names[index] == name) return static_cast<T>(index);
      expected += (index ? ", " : " ") + std::string(names[index]);
    }
    where.refuse(expected, value);
  }
  static Napi::Value to(Napi::Env env, T value) {
    return Napi::String::New(env, std::string(enumNames(T{})[static_cast<size_t>(value)]));
  }
};

template <>
struct Convert<Device> {
  static Device from(const Napi::Value& value, const Where& where) {
    return Environment::of(value.Env()).device(fromValue<std::string>(value, where));
  }
};

template <typename T>
struct Convert<std::optional<T>> {
  static std::optional<T> from(const Napi::Value& value, const Where& where) {
    if (value.IsUndefined() || value.IsNull()) return std::nullopt;
    return fromValue<T>(value, where);
  }
  static Napi::Value to(Napi::Env env, const std::optional<T>& value) {
    return value ? toValue(env, *value) : env.Undefined();
  }
};

template <typename T>
struct Convert<std::vector<T>> {
  static std::vector<T> from(const Napi::Value& value, const Where& where) {
    if (!value.IsArray()) where.refuse("an array", value);
    const auto array = value.As<Napi::Array>();
    // The length of an array costs nothing, so it is no measure of what to reserve.
    if (array.Length() > kMostItems)
      throw Error(ErrorCode::argument, where.text + " must have at most " + std::to_string(kMostItems) +
                                           " items; got " + std::to_string(array.Length()));
    std::vector<T> items;
    items.reserve(array.Length());
    for (uint32_t index = 0; index < array.Length(); index++)
      items.push_back(fromValue<T>(array.Get(index), where.item(index)));
    return items;
  }
  static Napi::Value to(Napi::Env env, const std::vector<T>& items) {
    Napi::Array array = Napi::Array::New(env, items.size());
    for (size_t index = 0; index < items.size(); index++)
      array.Set(static_cast<uint32_t>(index), toValue(env, items[index]));
    return array;
  }
};

template <>
struct Convert<Shape> {
  static Shape from(const Napi::Value& value, const Where& where) {
    const Shape shape(fromValue<std::vector<int64_t>>(value, where));
    for (const int64_t size : shape.sizes())
      if (size < 0)
        throw Error(ErrorCode::shape, where.text + " must have sizes of 0 or more; got " + shape.text());
    return shape;
  }
  static Napi::Value to(Napi::Env env, const Shape& shape) { return toValue(env, shape.sizes()); }
};

template <HasFields T>
struct Convert<T> {
  static T from(const Napi::Value& value, const Where& where) {
    if (!value.IsObject() || value.IsFunction()) where.refuse("an object", value);
    const auto object = value.As<Napi::Object>();
    T result{};
    std::apply([&](const auto&... fields) { (set(result, fields, object, where), ...); }, T::fields());
    return result;
  }
  static Napi::Value to(Napi::Env env, const T& value) {
    Napi::Object object = Napi::Object::New(env);
    std::apply(
        [&](const auto&... fields) {
          (object.Set(std::string(fields.name), toValue(env, value.*(fields.member))), ...);
        },
        T::fields());
    return object;
  }

 private:
  // What the object lacks keeps the default that the struct gives it.
  template <typename F>
  static void set(T& result, const F& field, const Napi::Object& object, const Where& where) {
    using Member = std::remove_reference_t<decltype(result.*(field.member))>;
    const Napi::Value value = object.Get(std::string(field.name));
    if (!value.IsUndefined()) result.*(field.member) = fromValue<Member>(value, where.member(field.name));
  }
};

}  // namespace crossmap::addon
