#include "runtime/cpu/sgemm.h"

#include <cstdlib>
#include <memory>
#if defined(CROSSMAP_CBLAS)
#include <cblas.h>
#endif

#include "runtime/cpu/gemm.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

void scale(int64_t m, int64_t n, float beta, float* c, int64_t strideC) {
  for (int64_t row = 0; row < m; row++)
    for (int64_t column = 0; column < n; column++)
      c[row * strideC + column] = beta == 0 ? 0 : beta * c[row * strideC + column];
}

void multiply(int64_t m, int64_t n, int64_t k, float alpha, MatrixView a, MatrixView b, float beta, float* c,
              int64_t strideC) {
  static const Isa chosen = chooseIsa();
  if (beta != 0 && beta != 1) scale(m, n, beta, c, strideC);
  const Product product{.m = m,
                        .n = n,
                        .k = k,
                        .a = {a.data, DType::float32, a.stride, a.transposed},
                        .b = {b.data, DType::float32, b.stride, b.transposed},
                        .c = c,
                        .dtypeC = DType::float32,
                        .strideC = strideC,
                        .alpha = alpha,
                        .accumulate = beta != 0};
  onIsa(chosen, [&]<Isa isa>() {
    const auto workspace =
        std::make_unique_for_overwrite<char[]>(static_cast<size_t>(gemmWorkspaceBytes<isa>(product)));
    gemm<isa>(nullptr, product, workspace.get());
  });
}

}  // namespace

std::string_view sgemmLibrary() {
#if defined(CROSSMAP_CBLAS)
  const char* wanted = std::getenv("CROSSMAP_BLAS");
  if (!wanted || std::string_view(wanted) != "none") return "BLIS";
#endif
  return "none";
}

void sgemm(int64_t m, int64_t n, int64_t k, float alpha, MatrixView a, MatrixView b, float beta, float* c,
           int64_t strideC) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0 || alpha == 0) return scale(m, n, beta, c, strideC);
#if defined(CROSSMAP_CBLAS)
  static const bool callsLibrary = sgemmLibrary() != "none";
  if (callsLibrary) {
    const auto transpose = [](const MatrixView& matrix) {
      return matrix.transposed ? CblasTrans : CblasNoTrans;
    };
    cblas_sgemm(CblasRowMajor, transpose(a), transpose(b), checkedInt(m), checkedInt(n), checkedInt(k), alpha,
                a.data, checkedInt(a.stride), b.data, checkedInt(b.stride), beta, c, checkedInt(strideC));
    return;
  }
#endif
  multiply(m, n, k, alpha, a, b, beta, c, strideC);
}

}  // namespace crossmap::cpu
