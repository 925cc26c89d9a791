#pragma once
#include <cstdint>
#include <string_view>

namespace crossmap::cpu {

// A row-major matrix, or its transpose: `stride` is the distance of rows in memory as it lies there.
struct MatrixView {
  const float* data;
  int64_t stride;
  bool transposed = false;
};

// c [m, n] = alpha * a [m, k] @ b [k, n] + beta * c, row-major, float32, on the calling thread alone: kernels
// share tiles among the pool themselves. With beta 0 the old c is not read. m, n and k may be 0.
void sgemm(int64_t m, int64_t n, int64_t k, float alpha, MatrixView a, MatrixView b, float beta, float* c,
           int64_t strideC);

// The library that sgemm calls: BLIS, or none where the build has no library or the environment variable
// CROSSMAP_BLAS says none; it is then the kernel of gemm.h.
std::string_view sgemmLibrary();

}  // namespace crossmap::cpu
