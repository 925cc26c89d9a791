// Sines and cosines are computed once per token, for all its heads: no table, whose size would depend on the
// positions.
#include "ops/rotary/rotary-cpu.h"

#include <algorithm>
#include <string>
#include <vector>

#include "ops/rotary/sine-cosine.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/least-index.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

// The rotation of one token.
struct Rotation {
  std::vector<float> cosines;  // [half], times scale
  std::vector<float> sines;    // [half], times scale, and -1 for the opposite angle

  explicit Rotation(int64_t half) : cosines(static_cast<size_t>(half)), sines(static_cast<size_t>(half)) {}

  void turnTo(int32_t position, const float* frequencies, double scale, double sign) {
    const auto at = static_cast<float>(position);
    for (size_t d = 0; d < cosines.size(); d++) {
      const auto [sine, cosine] = sineCosine(double{at * frequencies[d]});
      cosines[d] = static_cast<float>(scale * cosine);
      sines[d] = static_cast<float>(sign * scale * sine);
    }
  }

  template <typename E>
  void apply(const E* x, E* y) const {
    const auto half = static_cast<int64_t>(cosines.size());
    for (int64_t d = 0; d < half; d += kLanes) {
      const Vec cosine = loadWithin(cosines.data(), d, half);
      const Vec sine = loadWithin(sines.data(), d, half);
      const Vec first = loadWithin(x, d, half);
      const Vec second = loadWithin(x + half, d, half);
      storeWithin(y, d, half, first * cosine - second * sine);
      storeWithin(y + half, d, half, second * cosine + first * sine);
    }
  }
};

template <typename E>
struct Rotate {
  const E* x;                // [tokens, heads, headDim]
  const int32_t* positions;  // [tokens]
  const float* frequencies;  // [headDim / 2]
  E* y;                      // like x
  int64_t heads;
  int64_t headDim;
  double scale;
  double sign;  // -1: by the opposite angle

  void tokens(int64_t begin, int64_t end, LeastIndex& refused) const {
    Rotation rotation(headDim / 2);
    for (int64_t t = begin; t < end; t++) {
      const int64_t row = t * heads * headDim;
      if (positions[t] < 0) {
        refused.note(t);
        std::fill_n(y + row, heads * headDim, fromFloat<E>(0));
        continue;
      }
      rotation.turnTo(positions[t], frequencies, scale, sign);
      for (int64_t h = 0; h < heads; h++) rotation.apply(x + row + h * headDim, y + row + h * headDim);
    }
  }
};

void rotate(const char* op, const Tensor& x, const Tensor& positions, const Tensor& frequencies, double scale,
            double sign, const Tensor& y) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Rotate<E> rotate{x.data<E>(),
                           positions.data<int32_t>(),
                           frequencies.data<float>(),
                           y.data<E>(),
                           x.size(1),
                           x.size(2),
                           scale,
                           sign};
    enqueue(x.device(), op, [rotate, tokens = x.size(0)](Context& context) {
      LeastIndex refused;
      context.pool.parallelFor(tokens, rowGrain(rotate.heads * rotate.headDim),
                               [&](int64_t begin, int64_t end) { rotate.tokens(begin, end, refused); });
      if (const auto token = refused.found())
        throw Error(ErrorCode::index, "position " + std::to_string(rotate.positions[*token]) + " of token " +
                                          std::to_string(*token) + " must be 0 or more");
    });
  });
}

}  // namespace

template <Isa isa>
void rotary(const Tensor& x, const Tensor& positions, const Tensor& frequencies, double scale,
            const Tensor& y) {
  rotate("rotary", x, positions, frequencies, scale, 1, y);
}

template <Isa isa>
void rotaryBackward(const Tensor& dy, const Tensor& positions, const Tensor& frequencies, double scale,
                    const Tensor& dx) {
  rotate("rotaryBackward", dy, positions, frequencies, scale, -1, dx);
}

template void rotary<kIsa>(const Tensor&, const Tensor&, const Tensor&, double, const Tensor&);
template void rotaryBackward<kIsa>(const Tensor&, const Tensor&, const Tensor&, double, const Tensor&);

}  // namespace crossmap::cpu
