#pragma once
// The numbers that words of Philox become, for all devices. Kernels only.
//
// They must be the same on every processor, so a * b + c stays two operations: Math::product(a, b) is a
// product that its compiler rounds by itself.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace crossmap {
namespace {

// Of Philox 4x32.
constexpr uint32_t kMultiplier0 = 0xd2511f53;
constexpr uint32_t kMultiplier1 = 0xcd9e8d57;
constexpr uint32_t kWeyl0 = 0x9e3779b9;  // golden ratio
constexpr uint32_t kWeyl1 = 0xbb67ae85;  // sqrt(3) - 1

constexpr float uniformOf(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

// The product of two float32 is exact in float64, so there is one rounding, that of the sum to float32.
constexpr float scaled(float start, float factor, float number) {
  return static_cast<float>(double{start} + double{factor} * double{number});
}

// p - 1/2, exactly
constexpr double centred(uint32_t word) { return (static_cast<double>(word) + (0.5 - 0x1p31)) * 0x1p-32; }

template <typename Math>
struct Quantile {
  // Recursive, not a loop: the compiler makes no vectors of a loop around loops.
  template <size_t k = 0, size_t terms>
  static constexpr double polynomial(const double (&coefficients)[terms], double x) {
    if constexpr (k + 1 == terms)
      return coefficients[k];
    else
      return Math::product(polynomial<k + 1>(coefficients, x), x) + coefficients[k];
  }

  // The natural logarithm of a normal number to 1e-15: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
  // log m = 2 artanh s with s = (m - 1) / (m + 1), |s| < 0.1716, whose series is cut after s^21 / 21.
  static constexpr double logarithm(double x) {
    // Bits of sqrt(1/2), measured from which the exponent field counts whole steps up to sqrt(2).
    constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcd;
    const uint64_t bits = std::bit_cast<uint64_t>(x);
    const auto exponent = static_cast<int64_t>(bits - kSqrtHalf) >> 52;
    const double m = std::bit_cast<double>(bits - (static_cast<uint64_t>(exponent) << 52));
    const double s = (m - 1) / (m + 1);
    const double q = s * s;
    constexpr double kLn2 = 0.69314718055994530942;
    constexpr double kSeries[] = {2.,      2. / 3,  2. / 5,  2. / 7,  2. / 9, 2. / 11,
                                  2. / 13, 2. / 15, 2. / 17, 2. / 19, 2. / 21};
    const double whole = Math::product(static_cast<double>(static_cast<int32_t>(exponent)), kLn2);
    return whole + Math::product(s, polynomial(kSeries, q));
  }

  // The standard normal quantile of p = (word + 1/2) * 2^-32, by Wichura's AS 241 (PPND16): a quotient of
  // polynomials for |p - 1/2| <= 0.425, and one in sqrt(-log(min(p, 1 - p))) further out. His third, for
  // where that exceeds 5, is not reached: p >= 2^-33 gives 4.79.

  static constexpr double inner(double q) {
    constexpr double kA[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                             1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                             3.3430575583588128105e4, 2.5090809287301226727e3};
    constexpr double kB[] = {1.0,
                             4.2313330701600911252e1,
                             6.8718700749205790830e2,
                             5.3941960214247511077e3,
                             2.1213794301586595867e4,
                             3.9307895800092710610e4,
                             2.8729085735721942674e4,
                             5.2264952788528545610e3};
    const double centre = 0.180625 - Math::product(q, q);
    return q * polynomial(kA, centre) / polynomial(kB, centre);
  }

  static constexpr double outer(double q) {
    constexpr double kC[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                             3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                             2.27238449892691845833e-2, 7.74545014278341407640e-4};
    constexpr double kD[] = {1.0,
                             2.05319162663775882187e0,
                             1.67638483018380384940e0,
                             6.89767334985100004550e-1,
                             1.48103976427480074590e-1,
                             1.51986665636164571966e-2,
                             5.47593808499534494600e-4,
                             1.05075007164441684324e-9};
    const double tail = sqrt(-logarithm(0.5 - fabs(q))) - 1.6;
    return copysign(polynomial(kC, tail) / polynomial(kD, tail), q);
  }
};

// Whether the number is that of Quantile::inner.
constexpr bool isInner(double q) { return q >= -0.425 && q <= 0.425; }

}  // namespace
}  // namespace crossmap
