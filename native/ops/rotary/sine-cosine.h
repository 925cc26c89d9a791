#pragma once
#include <bit>
#include <cstdint>

namespace crossmap {
namespace {

struct SineCosine {
  double sine;
  double cosine;
};

// Both to 1e-11, for |angle| <= 2^31. Without branches, so that a loop over it becomes vectors.
//
// angle = quadrant * pi/2 + r with |r| <= pi/4. pi/2 stands in three parts of which the first two have 22
// bits: their products with a quadrant below 2^31 are exact, and so are the first two differences.
constexpr SineCosine sineCosine(double angle) {
  constexpr double kQuadrants = 0.63661977236758138;  // 2 / pi
  constexpr double kHigh = 0x1.921fb0p0;
  constexpr double kMiddle = 0x1.5110b0p-22;
  constexpr double kLow = 0x1.18469898cc517p-44;
  constexpr double kRound = 0x1.8p52;  // adding it rounds to a whole number, which stands in the last bits
  const double shifted = angle * kQuadrants + kRound;
  const double quadrant = shifted - kRound;
  const double r = ((angle - quadrant * kHigh) - quadrant * kMiddle) - quadrant * kLow;
  const double s = r * r;
  // Taylor polynomials; what is left out is below (pi/4)^13 / 13! = 7e-12 and (pi/4)^14 / 14! = 4e-13.
  const double sine =
      r * (1 + s * (-1. / 6 + s * (1. / 120 + s * (-1. / 5040 + s * (1. / 362880 + s * (-1. / 39916800))))));
  const double cosine =
      1 + s * (-1. / 2 +
               s * (1. / 24 + s * (-1. / 720 + s * (1. / 40320 + s * (-1. / 3628800 + s / 479001600)))));
  const auto turns = std::bit_cast<uint64_t>(shifted);
  const double first = turns & 1 ? cosine : sine;
  const double second = turns & 1 ? sine : cosine;
  return {turns & 2 ? -first : first, (turns + 1) & 2 ? -second : second};
}

}  // namespace
}  // namespace crossmap
