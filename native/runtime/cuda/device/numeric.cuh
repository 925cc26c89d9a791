#pragma once
// Element types in device code: conversion, packing of pairs, and fast functions.
#include <cstdint>
#include <limits>

#include "runtime/cuda/language.h"
#include "runtime/dtype.h"

namespace crossmap::cuda {

// Rounds to nearest even, like fromFloat of the host; one instruction where the architecture has it.
template <typename E>
__device__ inline E round(float value) {
  return fromFloat<E>(value);
}

#ifndef CROSSMAP_SIMT
template <>
__device__ inline BFloat16 round<BFloat16>(float value) {
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return {bits};
}

template <>
__device__ inline Float16 round<Float16>(float value) {
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return {bits};
}
#endif

// The value that memory holds, as float32.
__device__ inline float widen(float value) { return value; }
__device__ inline float widen(BFloat16 value) { return toFloat(value); }
__device__ inline float widen(Float16 value) {
#ifdef CROSSMAP_SIMT
  return toFloat(value);
#else
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
#endif
}

// Two 16-bit elements in one register, the first in its low half: as tensor cores take them.
template <typename E>
__device__ uint32_t packPair(float low, float high);

template <>
__device__ inline uint32_t packPair<BFloat16>(float low, float high) {
#ifdef CROSSMAP_SIMT
  return fromFloat<BFloat16>(low).bits | uint32_t{fromFloat<BFloat16>(high).bits} << 16;
#else
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#endif
}

template <>
__device__ inline uint32_t packPair<Float16>(float low, float high) {
#ifdef CROSSMAP_SIMT
  return fromFloat<Float16>(low).bits | uint32_t{fromFloat<Float16>(high).bits} << 16;
#else
  uint32_t pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#endif
}

// The nearest number with 10 bits of fraction, in the bits of a float32: an operand of multiplyAddTf32.
__device__ inline uint32_t roundToTf32(float value) {
#ifdef CROSSMAP_SIMT
  return simt::roundToTf32(value);
#else
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits;
#endif
}

// 2^x to about 2 units in the last place; subnormal results are 0, and 2^-inf is 0.
__device__ inline float exp2Fast(float x) {
#ifdef CROSSMAP_SIMT
  return simt::exp2Fast(x);
#else
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
#endif
}

inline constexpr float kLog2E = 1.4426950408889634f;
inline constexpr float kLn2 = 0.6931471805599453f;
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace crossmap::cuda
