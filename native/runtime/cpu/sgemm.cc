#include "runtime/cpu/sgemm.h"

#include <algorithm>
#if defined(CROSSMAP_CBLAS)
#include <cblas.h>
#endif

#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

void scale(int64_t m, int64_t n, float beta, float* c, int64_t strideC) {
  for (int64_t row = 0; row < m; row++)
    for (int64_t column = 0; column < n; column++)
      c[row * strideC + column] = beta == 0 ? 0 : beta * c[row * strideC + column];
}

#if !defined(CROSSMAP_CBLAS)

float at(const MatrixView& matrix, int64_t row, int64_t column) {
  return matrix.transposed ? matrix.data[column * matrix.stride + row]
                           : matrix.data[row * matrix.stride + column];
}

#endif

}  // namespace

void sgemm(int64_t m, int64_t n, int64_t k, float alpha, MatrixView a, MatrixView b, float beta, float* c,
           int64_t strideC) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0 || alpha == 0) return scale(m, n, beta, c, strideC);
#if defined(CROSSMAP_CBLAS)
  const auto transpose = [](const MatrixView& matrix) {
    return matrix.transposed ? CblasTrans : CblasNoTrans;
  };
  cblas_sgemm(CblasRowMajor, transpose(a), transpose(b), checkedInt(m), checkedInt(n), checkedInt(k), alpha,
              a.data, checkedInt(a.stride), b.data, checkedInt(b.stride), beta, c, checkedInt(strideC));
#else
  scale(m, n, beta, c, strideC);
  for (int64_t row = 0; row < m; row++)
    for (int64_t inner = 0; inner < k; inner++) {
      const float factor = alpha * at(a, row, inner);
      for (int64_t column = 0; column < n; column++)
        c[row * strideC + column] += factor * at(b, inner, column);
    }
#endif
}

}  // namespace crossmap::cpu
