#pragma once
#include <string_view>
#include <tuple>

namespace crossmap {

// A member of a struct under the name that JavaScript gives it. A struct that crosses the addon's boundary
// has
//   static constexpr auto fields() { return std::tuple(field("y", &RmsNormForward::y), ...); }
template <typename Struct, typename Member>
struct Field {
  std::string_view name;
  Member Struct::*member;
};

template <typename Struct, typename Member>
constexpr Field<Struct, Member> field(std::string_view name, Member Struct::*member) {
  return {name, member};
}

template <typename T>
concept HasFields = requires {
  T::fields();
};

}  // namespace crossmap
