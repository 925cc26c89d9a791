#include "ops/random/random-cuda.h"
#include "ops/random/random-numbers.h"
#include "runtime/cuda/device/product.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

struct Words {
  uint32_t words[4];
};

// Block `index` of the stream.
__device__ inline Words philox(uint64_t seed, uint64_t offset, uint64_t index) {
  auto c0 = static_cast<uint32_t>(index);
  auto c1 = static_cast<uint32_t>(index >> 32);
  auto c2 = static_cast<uint32_t>(offset);
  auto c3 = static_cast<uint32_t>(offset >> 32);
  auto key0 = static_cast<uint32_t>(seed);
  auto key1 = static_cast<uint32_t>(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const uint64_t product0 = uint64_t{kMultiplier0} * c0;
    const uint64_t product1 = uint64_t{kMultiplier1} * c2;
    c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<uint32_t>(product1);
    c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<uint32_t>(product0);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

struct DeviceMath {
  __host__ __device__ static double product(double a, double b) { return roundedProduct(a, b); }
};

__device__ inline float normalOf(uint32_t word) {
  const double q = centred(word);
  return static_cast<float>(isInner(q) ? Quantile<DeviceMath>::inner(q) : Quantile<DeviceMath>::outer(q));
}

enum class Distribution { normal, uniform };

template <typename E>
struct Generate {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = false;
  Distribution distribution;
  uint64_t seed, offset;
  float start, factor;  // the tensor is start + factor * number
  E* out;               // [count]
  int64_t count;
  bool isWide;

  struct Nothing {};

  template <int width>
  __device__ Nothing load(int64_t) const {
    return {};
  }

  __device__ E element(uint32_t word) const {
    const float number = distribution == Distribution::normal ? normalOf(word) : uniformOf(word);
    return round<E>(scaled(start, factor, number));
  }

  // A pack is made of whole blocks of four words; an element alone takes its word of one.
  template <int width>
  __device__ void store(int64_t at, Nothing) const {
    Pack<E, width> pack;
    if constexpr (width == 1) {
      const Words block = philox(seed, offset, static_cast<uint64_t>(at) / 4);
      const int word = static_cast<int>(at % 4);
      const uint32_t even = word < 2 ? block.words[0] : block.words[2];
      const uint32_t odd = word < 2 ? block.words[1] : block.words[3];
      pack.values[0] = element(word % 2 == 0 ? even : odd);
    } else {
#pragma unroll
      for (int first = 0; first < width; first += 4) {
        const Words block = philox(seed, offset, static_cast<uint64_t>(at + first) / 4);
#pragma unroll
        for (int word = 0; word < 4; word++) pack.values[first + word] = element(block.words[word]);
      }
    }
    storePack(out + at, pack);
  }
};

void generate(Stream& stream, const char* op, Distribution distribution, int64_t seed, int64_t offset,
              float start, float factor, const Tensor& out) {
  onFloatDType(out.dtype(), [&]<typename E>(E) {
    E* to = out.data<E>();
    launchElements(stream, op,
                   Generate<E>{distribution, static_cast<uint64_t>(seed), static_cast<uint64_t>(offset),
                               start, factor, to, out.elements(), areAlignedFor(kPackWidth<E>, to)});
  });
}

}  // namespace

void randomUniform(Stream& stream, const UniformOptions& options, const Tensor& out) {
  const auto low = static_cast<float>(options.low);
  const auto high = static_cast<float>(options.high);
  generate(stream, "uniform", Distribution::uniform, options.seed, options.offset, low, high - low, out);
}

void randomNormal(Stream& stream, const NormalOptions& options, const Tensor& out) {
  generate(stream, "normal", Distribution::normal, options.seed, options.offset,
           static_cast<float>(options.mean), static_cast<float>(options.std), out);
}

}  // namespace crossmap::cuda
