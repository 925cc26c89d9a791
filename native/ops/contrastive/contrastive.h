#pragma once
#include <array>
#include <optional>
#include <string_view>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Symmetric InfoNCE over pairs of rows; METHOD 1.3 is the definition. With u = x / |x|, v = y / |y|,
// s_ij = u_i . v_j, groups g, weights w, W = sum w:
//   T_ij = 1 for j = i, with `positives` also for g_i = g_j        t_ij = T_ij / sum_j T_ij
//   l_ij = (s_ij - margin T_ij) / tau
//   row_i = lse(l_ij over the columns j that row i keeps) - sum_j t_ij l_ij        col_j likewise over rows
//   loss = 1/2 [sum_i w_i row_i / W + sum_j w_j col_j / W]; one-directional: sum_i w_i row_i / W
// Row i also keeps u_i . z_m / tau for each extra negative z_m, and with Scope::both u_i . u_j / tau, j != i;
// column j mirrors that with v_j. Not kept are pairs that are in one group and not positives (T = 0), except
// with GroupMode::none, and with a threshold what is not a positive and has s > s_ii + threshold (for columns
// s > s_jj + threshold), own-language and extra negatives included. What is kept is a constant to the
// gradient.
//
// A pair whose group is below 0 is absent, with every GroupMode: the result is that of the pairs without it,
// whatever its rows and its weight hold, and their gradients are 0. So calls can be padded to one shape.
//
// Memory beside inputs, results and gradients, with no [pairs, pairs] matrix. CPU, in float32 numbers:
//   15 for each pair and 1 for each extra negative
//   for each thread n (n + 2 features) for a tile of scores and the rows that it comes from, and about
//   n (n + min(max(n, features), 2048)) for the packed operands of their products, n <= 512
//   in the backward pass of bfloat16 and float16 a copy of each gradient, which sums in float32
// CUDA:
//   a copy of x, y and the extra negatives in their dtype, features rounded up to 16 bytes
//   in the forward pass 4 float32 for each pair, 7 with positives of the same group, and 32 KiB for each
//   multiprocessor, or 16 bytes for each pair or extra negative where that is more; twice that with positives
//   in the backward pass each gradient in float32, and a panel of at most 32 MiB

// What the columns of the same group as a row are: masked, positives too, or negatives as any other.
enum class GroupMode { mask, positives, none };

constexpr auto enumNames(GroupMode) {
  using namespace std::string_view_literals;
  return std::array{"mask"sv, "positives"sv, "none"sv};
}

// Which side the negatives come from: the other, or both.
enum class Scope { cross, both };

constexpr auto enumNames(Scope) {
  using namespace std::string_view_literals;
  return std::array{"cross"sv, "both"sv};
}

struct ContrastiveOptions {
  double temperature = 0.05;  // tau, > 0; not read where theta is given
  std::optional<Tensor>
      theta;          // [] float32: 1 / tau = min(e^theta, 100), with gradient 0 where e^theta > 100
  double margin = 0;  // finite
  std::optional<Tensor> groups;  // [pairs] int32, below 0 for no pair; default each pair for itself
  GroupMode groupMode = GroupMode::mask;
  Scope scope = Scope::cross;
  std::optional<double> threshold;  // finite; default none
  std::optional<Tensor> negatives;  // [negatives, features], dtype of x
  std::optional<Tensor> weights;    // [pairs] float32, >= 0 with a sum above 0; default 1 each
  bool oneDirectional = false;

  static constexpr auto fields() {
    using Options = ContrastiveOptions;
    return std::tuple(field("temperature", &Options::temperature), field("theta", &Options::theta),
                      field("margin", &Options::margin), field("groups", &Options::groups),
                      field("groupMode", &Options::groupMode), field("scope", &Options::scope),
                      field("threshold", &Options::threshold), field("negatives", &Options::negatives),
                      field("weights", &Options::weights), field("oneDirectional", &Options::oneDirectional));
  }
};

// Rows of ContrastiveForward::statistics. `left out` is the softmax's share of everything but the pair
// itself, 1 - P_ii: kept since the difference would cancel where a pair is told apart well.
enum class ContrastiveStatistic { rowLse, columnLse, rowLeftOut, columnLeftOut, score, share };
inline constexpr int64_t kContrastiveStatistics = 6;

struct ContrastiveForward {
  Tensor loss;        // [] float32
  Tensor statistics;  // [6, pairs] float32: by ContrastiveStatistic; score is s_ii, share t_ii
  // [2 pairs + negatives] float32: 1 / |x|, 1 / |y|, 1 / |z|. 0 exactly for rows without direction or
  // gradient, which nothing reads: those of zeros and of absent pairs. NaN for rows that are not finite.
  Tensor inverseNorms;

  static constexpr auto fields() {
    return std::tuple(field("loss", &ContrastiveForward::loss),
                      field("statistics", &ContrastiveForward::statistics),
                      field("inverseNorms", &ContrastiveForward::inverseNorms));
  }
};

// x, y [pairs, features], at least 1 pair; float32, bfloat16 or float16. Products, sums and statistics are
// float32. A row of zeros has u = 0 and gradient 0. Weights of pairs that are not absent are a fault where
// one is negative or not finite or all are 0, and then the loss is 0; so it is, without fault, where all
// pairs are absent.
ContrastiveForward contrastive(const Tensor& x, const Tensor& y, const ContrastiveOptions& options);

// Which gradients are computed.
struct ContrastiveWanted {
  bool x = true;
  bool y = true;
  bool theta = false;
  bool negatives = false;

  static constexpr auto fields() {
    return std::tuple(field("x", &ContrastiveWanted::x), field("y", &ContrastiveWanted::y),
                      field("theta", &ContrastiveWanted::theta),
                      field("negatives", &ContrastiveWanted::negatives));
  }
};

struct ContrastiveBackward {
  std::optional<Tensor> dx, dy;      // [pairs, features], dtype of x
  std::optional<Tensor> dTheta;      // [] float32
  std::optional<Tensor> dNegatives;  // [negatives, features], dtype of x

  static constexpr auto fields() {
    return std::tuple(field("dx", &ContrastiveBackward::dx), field("dy", &ContrastiveBackward::dy),
                      field("dTheta", &ContrastiveBackward::dTheta),
                      field("dNegatives", &ContrastiveBackward::dNegatives));
  }
};

// dLoss [] float32; `statistics` and `inverseNorms` are those of contrastive() for the same arguments.
//   G_ij = dLoss c / (W tau) [w_i (P_ij - t_ij) + w_j (Q_ij - t_ij)], c = 1/2; one-directional: c = 1, no Q
//   du = G v, dv = G^T u, and so on for the other products; dx = (du - (du . u) u) / max(|x|, 1e-12)
//   dTheta = sum of dLoss/dl times l over all kept logits
ContrastiveBackward contrastiveBackward(const Tensor& dLoss, const Tensor& x, const Tensor& y,
                                        const Tensor& statistics, const Tensor& inverseNorms,
                                        const ContrastiveOptions& options, const ContrastiveWanted& wanted);

}  // namespace crossmap
