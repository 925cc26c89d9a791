// The numbers must be the same on every processor. So there is no function of a maths library but sqrt, which
// IEEE 754 rounds correctly, and a * b + c stays two operations, though the build allows one elsewhere.
#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif

#include "ops/random/random-cpu.h"

#include <algorithm>

#include "ops/random/random-numbers.h"
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

// Not contracted by this file's compiler.
struct PlainMath {
  static double product(double a, double b) { return a * b; }
};

void standardNormals(const uint32_t* words, float* numbers) {
  double inner[kWords];
  double outer[kWords];
  for (int word = 0; word < kWords; word++) inner[word] = Quantile<PlainMath>::inner(centred(words[word]));
  for (int word = 0; word < kWords; word++) outer[word] = Quantile<PlainMath>::outer(centred(words[word]));
  for (int word = 0; word < kWords; word++)
    numbers[word] = static_cast<float>(isInner(centred(words[word])) ? inner[word] : outer[word]);
}

void uniforms(const uint32_t* words, float* numbers) {
  for (int word = 0; word < kWords; word++) numbers[word] = uniformOf(words[word]);
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
          for (float& each : numbers) each = scaled(start, factor, each);
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
