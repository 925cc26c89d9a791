// The numbers must be the same on every processor. So there is no function of a maths library but sqrt, which
// IEEE 754 rounds correctly, and a * b + c stays two operations, though the build allows one elsewhere.
#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif

#include "ops/random/random-cpu.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

// Words that are made and transformed together: loops over them become vectors.
constexpr int kWords = 256;
constexpr int kBlocks = kWords / 4;
static_assert(kGrain % kWords == 0);

struct Stream {
  uint64_t seed;
  uint64_t offset;

  // Words `first` to `first` + kWords, where `first` is a multiple of 4.
  void words(int64_t first, uint32_t* words) const {
    constexpr uint32_t kMultiplier0 = 0xd2511f53;
    constexpr uint32_t kMultiplier1 = 0xcd9e8d57;
    constexpr uint32_t kWeyl0 = 0x9e3779b9;  // golden ratio
    constexpr uint32_t kWeyl1 = 0xbb67ae85;  // sqrt(3) - 1
    uint32_t counter[4][kBlocks];
    for (int block = 0; block < kBlocks; block++) {
      const uint64_t index = static_cast<uint64_t>(first / 4 + block);
      counter[0][block] = static_cast<uint32_t>(index);
      counter[1][block] = static_cast<uint32_t>(index >> 32);
      counter[2][block] = static_cast<uint32_t>(offset);
      counter[3][block] = static_cast<uint32_t>(offset >> 32);
    }
    auto key0 = static_cast<uint32_t>(seed);
    auto key1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; round++) {
      for (int block = 0; block < kBlocks; block++) {
        const uint64_t product0 = uint64_t{kMultiplier0} * counter[0][block];
        const uint64_t product1 = uint64_t{kMultiplier1} * counter[2][block];
        counter[0][block] = static_cast<uint32_t>(product1 >> 32) ^ counter[1][block] ^ key0;
        counter[1][block] = static_cast<uint32_t>(product1);
        counter[2][block] = static_cast<uint32_t>(product0 >> 32) ^ counter[3][block] ^ key1;
        counter[3][block] = static_cast<uint32_t>(product0);
      }
      key0 += kWeyl0;
      key1 += kWeyl1;
    }
    for (int word = 0; word < kWords; word++) words[word] = counter[word % 4][word / 4];
  }
};

// Recursive, not a loop: the compiler makes no vectors of a loop around loops.
template <size_t k = 0, size_t terms>
double polynomial(const double (&coefficients)[terms], double x) {
  if constexpr (k + 1 == terms)
    return coefficients[k];
  else
    return polynomial<k + 1>(coefficients, x) * x + coefficients[k];
}

// The natural logarithm of a normal number to 1e-15: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
// log m = 2 artanh s with s = (m - 1) / (m + 1), |s| < 0.1716, whose series is cut after s^21 / 21.
double logarithm(double x) {
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
  return static_cast<double>(static_cast<int32_t>(exponent)) * kLn2 + s * polynomial(kSeries, q);
}

// The standard normal quantile of p = (word + 1/2) * 2^-32, by Wichura's AS 241 (PPND16): a quotient of
// polynomials for |p - 1/2| <= 0.425, and one in sqrt(-log(min(p, 1 - p))) further out. His third, for where
// that exceeds 5, is not reached: p >= 2^-33 gives 4.79. Both are computed of all words, in loops of their
// own, so that each loop becomes vectors.

// p - 1/2, exactly
double centred(uint32_t word) { return (static_cast<double>(word) + (0.5 - 0x1p31)) * 0x1p-32; }

double innerQuantile(double q) {
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
  const double centre = 0.180625 - q * q;
  return q * polynomial(kA, centre) / polynomial(kB, centre);
}

double outerQuantile(double q) {
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
  const double tail = std::sqrt(-logarithm(0.5 - std::abs(q))) - 1.6;
  return std::copysign(polynomial(kC, tail) / polynomial(kD, tail), q);
}

void standardNormals(const uint32_t* words, float* numbers) {
  double inner[kWords];
  double outer[kWords];
  for (int word = 0; word < kWords; word++) inner[word] = innerQuantile(centred(words[word]));
  for (int word = 0; word < kWords; word++) outer[word] = outerQuantile(centred(words[word]));
  for (int word = 0; word < kWords; word++)
    numbers[word] = static_cast<float>(std::abs(centred(words[word])) <= 0.425 ? inner[word] : outer[word]);
}

void uniforms(const uint32_t* words, float* numbers) {
  for (int word = 0; word < kWords; word++) numbers[word] = static_cast<float>(words[word] >> 8) * 0x1p-24f;
}

using Distribution = void (*)(const uint32_t* words, float* numbers);

// Fills the tensor with start + factor * number.
void generate(const char* op, Stream stream, Distribution distribution, float start, float factor,
              const Tensor& out) {
  onFloatDType(out.dtype(), [&]<typename E>(E) {
    enqueue(out.device(), op, [=, to = out.data<E>(), count = out.elements()](Context& context) {
      context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
        uint32_t words[kWords];
        float numbers[kWords];
        for (int64_t first = begin; first < end; first += kWords) {
          stream.words(first, words);
          distribution(words, numbers);
          // The product of two float32 is exact in float64, so there is one rounding, that of the sum to
          // float32.
          for (float& each : numbers)
            each = static_cast<float>(double{start} + double{factor} * double{each});
          const int64_t size = std::min<int64_t>(kWords, end - first);
          mapVectors(
              size, [](Vec each) { return each; }, to + first, numbers);
        }
      });
    });
  });
}

Stream streamOf(int64_t seed, int64_t offset) {
  return {static_cast<uint64_t>(seed), static_cast<uint64_t>(offset)};
}

}  // namespace

template <Isa isa>
void randomUniform(const UniformOptions& options, const Tensor& out) {
  const auto low = static_cast<float>(options.low);
  const auto high = static_cast<float>(options.high);
  generate("uniform", streamOf(options.seed, options.offset), uniforms, low, high - low, out);
}

template <Isa isa>
void randomNormal(const NormalOptions& options, const Tensor& out) {
  generate("normal", streamOf(options.seed, options.offset), standardNormals,
           static_cast<float>(options.mean), static_cast<float>(options.std), out);
}

template void randomUniform<kIsa>(const UniformOptions&, const Tensor&);
template void randomNormal<kIsa>(const NormalOptions&, const Tensor&);

}  // namespace crossmap::cpu
