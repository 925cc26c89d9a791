#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "runtime/error.h"

namespace crossmap {

enum class DType { float32, bfloat16, float16, int32, int64, uint8 };

constexpr auto enumNames(DType) {
  using namespace std::string_view_literals;
  return std::array{"float32"sv, "bfloat16"sv, "float16"sv, "int32"sv, "int64"sv, "uint8"sv};
}

constexpr std::string_view nameOf(DType dtype) { return enumNames(dtype)[static_cast<size_t>(dtype)]; }

constexpr int64_t sizeOf(DType dtype) {
  constexpr std::array<int64_t, 6> sizes{4, 2, 2, 4, 8, 1};
  return sizes[static_cast<size_t>(dtype)];
}

constexpr bool isFloat(DType dtype) {
  return dtype == DType::float32 || dtype == DType::bfloat16 || dtype == DType::float16;
}

// The upper half of a float32: 8 bits of exponent, 7 of fraction.
struct BFloat16 {
  uint16_t bits;
};

// IEEE 754 binary16: 5 bits of exponent, 10 of fraction.
struct Float16 {
  uint16_t bits;
};

constexpr float toFloat(float value) { return value; }

constexpr float toFloat(BFloat16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }

constexpr float toFloat(Float16 value) {
  const uint32_t sign = uint32_t{value.bits & 0x8000u} << 16;
  const uint32_t magnitude = value.bits & 0x7fffu;
  // Exponent moved from bias 15 to 127; infinity and NaN need the rest of the way to 255.
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  if (magnitude >= 0x400u) return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23)));
  const float subnormal = static_cast<float>(magnitude) * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

// Rounds to nearest, ties to even; NaN stays NaN, whatever its payload.
template <typename E>
constexpr E fromFloat(float value);

template <>
constexpr float fromFloat<float>(float value) {
  return value;
}

template <>
constexpr BFloat16 fromFloat<BFloat16>(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>(bits >> 16 | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
}

template <>
constexpr Float16 fromFloat<Float16>(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return {static_cast<uint16_t>(sign | 0x7e00u)};
  if (magnitude >= 0x47800000u) return {static_cast<uint16_t>(sign | 0x7c00u)};  // 2^16 and more
  if (magnitude < 0x38800000u) {
    // Below 2^-14: adding 0.5 leaves the subnormal's bits at the low end, rounded by the addition itself.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u))};
  }
  const uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
  return {static_cast<uint16_t>(sign | ((rounded - (112u << 23)) >> 13))};
}

template <typename E>
constexpr DType dtypeOf();
template <>
constexpr DType dtypeOf<float>() {
  return DType::float32;
}
template <>
constexpr DType dtypeOf<BFloat16>() {
  return DType::bfloat16;
}
template <>
constexpr DType dtypeOf<Float16>() {
  return DType::float16;
}
template <>
constexpr DType dtypeOf<int32_t>() {
  return DType::int32;
}
template <>
constexpr DType dtypeOf<int64_t>() {
  return DType::int64;
}
template <>
constexpr DType dtypeOf<uint8_t>() {
  return DType::uint8;
}

// Calls f(E{}) with the element type of a float dtype: the template is chosen here, once per call of an op.
template <typename F>
decltype(auto) onFloatDType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32:
      return f(float{});
    case DType::bfloat16:
      return f(BFloat16{});
    case DType::float16:
      return f(Float16{});
    default:
      throw Error(ErrorCode::internal, "onFloatDType: " + std::string(nameOf(dtype)) + " was not refused");
  }
}

// The same for every dtype.
template <typename F>
decltype(auto) onDType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::int32:
      return f(int32_t{});
    case DType::int64:
      return f(int64_t{});
    case DType::uint8:
      return f(uint8_t{});
    default:
      return onFloatDType(dtype, f);
  }
}

}  // namespace crossmap
