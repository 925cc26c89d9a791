#pragma once
// Vectors of floats as wide as the instruction set that the including file is compiled for. Kernels only.
//
// Everything has internal linkage: the same functions exist once per instruction set, and the linker must not
// take those of one set for another's.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "runtime/cpu/isa.h"
#include "runtime/dtype.h"

namespace crossmap::cpu {
namespace {

constexpr int kLanes = kIsa == Isa::avx512 ? 16 : kIsa == Isa::avx2 ? 8 : 4;

// A vector is any type of the compiler's vector extension: + - * / and comparisons work lane by lane, and
// `mask ? a : b` selects. Loads and stores need the alignment of one element only.

typedef float Vec __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t IntVec __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef uint32_t BitsVec __attribute__((vector_size(kLanes * sizeof(uint32_t))));
typedef uint16_t HalfVec __attribute__((vector_size(kLanes * sizeof(uint16_t))));

// Minus, since -0 + 0 is 0 and would cost an addition.
inline Vec broadcast(float value) { return value - Vec{}; }

inline Vec load(const float* from) {
  Vec vec;
  std::memcpy(&vec, from, sizeof vec);
  return vec;
}

inline void store(float* to, Vec vec) { std::memcpy(to, &vec, sizeof vec); }

inline Vec load(const BFloat16* from) {
#if defined(__AVX512F__)
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return std::bit_cast<Vec>(_mm512_maskz_slli_epi32(0xffff, _mm512_maskz_cvtepu16_epi32(0xffff, halves), 16));
#elif defined(__AVX2__)
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return std::bit_cast<Vec>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
#else
  HalfVec halves;
  std::memcpy(&halves, from, sizeof halves);
  return std::bit_cast<Vec>(__builtin_convertvector(halves, BitsVec) << 16);
#endif
}

// Rounds to nearest even like fromFloat<BFloat16>.
inline void store(BFloat16* to, Vec vec) {
  const auto bits = std::bit_cast<BitsVec>(vec);
  const BitsVec rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  const BitsVec upper = (vec != vec ? bits | 0x400000u : rounded) >> 16;
#if defined(__AVX512F__)
  const __m256i halves = _mm512_maskz_cvtepi32_epi16(0xffff, std::bit_cast<__m512i>(upper));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), halves);
#elif defined(__AVX2__)
  const auto wide = std::bit_cast<__m256i>(upper);
  // Packed within each half of 128 bits: the quarters 0 and 2 are what is wanted.
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(wide, wide), 0b1000);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
#else
  const HalfVec halves = __builtin_convertvector(upper, HalfVec);
  std::memcpy(to, &halves, sizeof halves);
#endif
}

inline Vec load(const Float16* from) {
#if defined(__AVX512F__)
  // The form with a mask: of the other, GCC 12 says that it reads what is not initialised (PR 105593).
  return std::bit_cast<Vec>(
      _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#elif defined(__F16C__)
  return std::bit_cast<Vec>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#else
  Vec vec;
  for (int lane = 0; lane < kLanes; lane++) vec[lane] = toFloat(from[lane]);
  return vec;
#endif
}

inline void store(Float16* to, Vec vec) {
#if defined(__AVX512F__)
  const __m256i halves = _mm512_maskz_cvtps_ph(0xffff, std::bit_cast<__m512>(vec), _MM_FROUND_TO_NEAREST_INT);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), halves);
#elif defined(__F16C__)
  const __m128i halves = _mm256_cvtps_ph(std::bit_cast<__m256>(vec), _MM_FROUND_TO_NEAREST_INT);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), halves);
#else
  for (int lane = 0; lane < kLanes; lane++) to[lane] = fromFloat<Float16>(vec[lane]);
#endif
}

// The first `count` < kLanes elements; the other lanes are `rest`.
template <typename E>
inline Vec loadPartial(const E* from, int64_t count, float rest = 0) {
  Vec vec = broadcast(rest);
  for (int lane = 0; lane < count; lane++) vec[lane] = toFloat(from[lane]);
  return vec;
}

template <typename E>
inline void storePartial(E* to, Vec vec, int64_t count) {
  for (int lane = 0; lane < count; lane++) to[lane] = fromFloat<E>(vec[lane]);
}

// The vector at element `at` of a row of `count`; lanes past its end are 0.
template <typename E>
inline Vec loadWithin(const E* row, int64_t at, int64_t count) {
  return at + kLanes <= count ? load(row + at) : loadPartial(row + at, count - at);
}

// Lanes past the end of the row are not written.
template <typename E>
inline void storeWithin(E* row, int64_t at, int64_t count, Vec vec) {
  if (at + kLanes <= count)
    store(row + at, vec);
  else
    storePartial(row + at, vec, count - at);
}

// a * b + c in one instruction where there is one.
inline Vec fma(Vec a, Vec b, Vec c) {
#if defined(__AVX512F__)
  return std::bit_cast<Vec>(
      _mm512_fmadd_ps(std::bit_cast<__m512>(a), std::bit_cast<__m512>(b), std::bit_cast<__m512>(c)));
#elif defined(__FMA__)
  return std::bit_cast<Vec>(
      _mm256_fmadd_ps(std::bit_cast<__m256>(a), std::bit_cast<__m256>(b), std::bit_cast<__m256>(c)));
#elif defined(__aarch64__)
  return std::bit_cast<Vec>(
      vfmaq_f32(std::bit_cast<float32x4_t>(c), std::bit_cast<float32x4_t>(a), std::bit_cast<float32x4_t>(b)));
#else
  return a * b + c;
#endif
}

inline Vec max(Vec a, Vec b) { return a > b ? a : b; }
inline Vec min(Vec a, Vec b) { return a < b ? a : b; }

inline Vec sqrt(Vec x) {
#if defined(__AVX512F__)
  return std::bit_cast<Vec>(_mm512_sqrt_ps(std::bit_cast<__m512>(x)));
#elif defined(__AVX__)
  return std::bit_cast<Vec>(_mm256_sqrt_ps(std::bit_cast<__m256>(x)));
#elif defined(__x86_64__)
  return std::bit_cast<Vec>(_mm_sqrt_ps(std::bit_cast<__m128>(x)));
#elif defined(__aarch64__)
  return std::bit_cast<Vec>(vsqrtq_f32(std::bit_cast<float32x4_t>(x)));
#else
  for (int lane = 0; lane < kLanes; lane++) x[lane] = std::sqrt(x[lane]);
  return x;
#endif
}

// Lanes are added pairwise: halves first, so the order is fixed for a width.
inline float sum(Vec vec) {
  float lanes[kLanes];
  store(lanes, vec);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

inline float maxOf(Vec vec) {
  float lanes[kLanes];
  store(lanes, vec);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++)
      lanes[lane] = lanes[lane] > lanes[lane + half] ? lanes[lane] : lanes[lane + half];
  return lanes[0];
}

// e^x to 2 units in the last place. 0 below -87.3 (results are never subnormal), infinity above 88.7, NaN for
// NaN. x = n ln 2 + r with |r| <= ln 2 / 2, and e^r by its Taylor polynomial of degree 7 (remainder 2.6e-9).
inline Vec exp(Vec x) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f;  // 9 bits, so n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.f;  // 1.5 * 2^23: adding it rounds to a whole number
#if defined(__AVX512F__)
  // These give their second operand for NaN. The forms with a mask, as above.
  const __m512 raised = _mm512_maskz_max_ps(0xffff, _mm512_set1_ps(-87.5f), std::bit_cast<__m512>(x));
  const auto clamped = std::bit_cast<Vec>(_mm512_maskz_min_ps(0xffff, _mm512_set1_ps(88.8f), raised));
#else
  const Vec clamped = min(max(x, broadcast(-87.5f)), broadcast(88.8f));
#endif
  const Vec n = fma(clamped, broadcast(kLog2E), broadcast(kRound)) - kRound;
  const Vec r = fma(n, broadcast(-kLn2Low), fma(n, broadcast(-kLn2High), clamped));
  Vec p = broadcast(1.f / 5040);
  p = fma(p, r, broadcast(1.f / 720));
  p = fma(p, r, broadcast(1.f / 120));
  p = fma(p, r, broadcast(1.f / 24));
  p = fma(p, r, broadcast(1.f / 6));
  p = fma(p, r, broadcast(0.5f));
  p = fma(p, r, broadcast(1.f));
  p = fma(p, r, broadcast(1.f));
#if defined(__AVX512F__)
  const __mmask16 isAbove =
      _mm512_cmp_ps_mask(std::bit_cast<__m512>(x), _mm512_set1_ps(-87.336544f), _CMP_NLT_UQ);
  return std::bit_cast<Vec>(
      _mm512_maskz_scalef_ps(isAbove, std::bit_cast<__m512>(p), std::bit_cast<__m512>(n)));
#else
  // 2^n in two steps: n may be 128, whose bits alone would be infinity.
  const IntVec exponent = __builtin_convertvector(n, IntVec);
  const IntVec half = exponent >> 1;
  const Vec scaled =
      p * std::bit_cast<Vec>((half + 127) << 23) * std::bit_cast<Vec>((exponent - half + 127) << 23);
  const Vec bounded = x < -87.336544f  ? Vec{}
                      : x > 88.722839f ? broadcast(std::numeric_limits<float>::infinity())
                                       : scaled;
  return x != x ? x : bounded;
#endif
}

// ln x to 2 units in the last place. -infinity for 0, NaN below, infinity for infinity, NaN for NaN.
// x = 2^n m with sqrt(1/2) <= m < sqrt(2), and ln m = 2 artanh s with s = (m - 1) / (m + 1), |s| <= 0.1716,
// by its series up to s^9 (remainder 3e-9 of ln m).
inline Vec log(Vec x) {
  constexpr float kLn2High = 0.693359375f;  // 9 bits, so n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  const IntVec isSubnormal = x < 0x1p-126f;
  const Vec normal = isSubnormal ? x * 0x1p23f : x;
  // Taken from the bits, the exponent changes at sqrt(1/2) instead of at 1.
  constexpr int32_t kRootHalf = 0x3f3504f3;
  // Unsigned, since the bits of a negative number wrap around.
  const auto bits = std::bit_cast<IntVec>(std::bit_cast<BitsVec>(normal) - static_cast<uint32_t>(kRootHalf));
  const IntVec exponent = (bits >> 23) - (isSubnormal & 23);
  const Vec m = std::bit_cast<Vec>((bits & 0x7fffff) + kRootHalf);
  const Vec n = __builtin_convertvector(exponent, Vec);
  const Vec f = m - 1.f;
  const Vec s = f / (m + 1.f);
  const Vec z = s * s;
  Vec p = broadcast(2.f / 9);
  p = fma(p, z, broadcast(2.f / 7));
  p = fma(p, z, broadcast(2.f / 5));
  p = fma(p, z, broadcast(2.f / 3));
  // ln m = f - s (f - z p): the leading term f is exact.
  const Vec lnM = f - s * (f - z * p);
  const Vec finite = fma(n, broadcast(kLn2High), fma(n, broadcast(kLn2Low), lnM));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Vec bounded = x == 0.f         ? broadcast(-kInfinity)
                      : x < 0.f        ? broadcast(std::numeric_limits<float>::quiet_NaN())
                      : x == kInfinity ? x
                                       : finite;
  return x != x ? x : bounded;
}

// 1 / (1 + e^-x)
inline Vec sigmoid(Vec x) { return 1.f / (1.f + exp(-x)); }

// (e^2x - 1) / (e^2x + 1), by its series where the quotient would cancel.
inline Vec tanh(Vec x) {
  const Vec a = x < 0.f ? -x : x;
  const Vec e = exp(a * 2.f);
  const Vec quotient = 1.f - 2.f / (e + 1.f);
  const Vec s = x * x;
  const Vec series =
      a * fma(s, fma(s, fma(s, broadcast(-17.f / 315), broadcast(2.f / 15)), broadcast(-1.f / 3)),
              broadcast(1.f));
  const Vec magnitude = a < 0.1f ? series : quotient;
  return x < 0.f ? -magnitude : magnitude;
}

}  // namespace
}  // namespace crossmap::cpu
