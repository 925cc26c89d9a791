#pragma once
// The calls of ops as a profile records them: this is where all ops pass, with all of their tensors.
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "runtime/fields.h"
#include "runtime/profile.h"
#include "runtime/tensor.h"

namespace crossmap::addon {

// The tensors in what an op takes or gives; other values have none.
template <typename T>
struct Tensors {
  static void note(const T& value, ProfiledTensors& noted) {
    if constexpr (HasFields<T>)
      std::apply([&](const auto&... fields) { (noteIn(value.*(fields.member), noted), ...); }, T::fields());
  }

 private:
  template <typename Member>
  static void noteIn(const Member& member, ProfiledTensors& noted) {
    Tensors<Member>::note(member, noted);
  }
};

template <>
struct Tensors<Tensor> {
  static void note(const Tensor& tensor, ProfiledTensors& noted) { noted.add(tensor); }
};

template <typename T>
struct Tensors<std::optional<T>> {
  static void note(const std::optional<T>& value, ProfiledTensors& noted) {
    if (value) Tensors<T>::note(*value, noted);
  }
};

template <typename T>
struct Tensors<std::vector<T>> {
  static void note(const std::vector<T>& items, ProfiledTensors& noted) {
    for (const auto& item : items) Tensors<T>::note(item, noted);
  }
};

template <typename... Ts>
struct Tensors<std::tuple<Ts...>> {
  static void note(const std::tuple<Ts...>& values, ProfiledTensors& noted) {
    std::apply([&](const auto&... each) { (Tensors<Ts>::note(each, noted), ...); }, values);
  }
};

// A call of an op from its beginning to the end of the scope, also where it throws.
class CallRecord {
 public:
  CallRecord(Profile& profile, const char* name) : profile_(profile) {
    if (profile.isOn()) call_ = profile.beginCall(name).get();
  }
  ~CallRecord() {
    if (call_) profile_.endCall();
  }
  CallRecord(const CallRecord&) = delete;
  CallRecord& operator=(const CallRecord&) = delete;

  template <typename T>
  void inputs(const T& values) {
    if (call_) Tensors<T>::note(values, call_->inputs);
  }
  template <typename T>
  void outputs(const T& values) {
    if (call_) Tensors<T>::note(values, call_->outputs);
  }

 private:
  Profile& profile_;
  ProfiledCall* call_ = nullptr;  // of the profile
};

}  // namespace crossmap::addon
