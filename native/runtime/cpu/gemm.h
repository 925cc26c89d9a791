#pragma once
#include <cstdint>

#include "runtime/cpu/isa.h"
#include "runtime/cpu/thread-pool.h"
#include "runtime/dtype.h"

namespace crossmap::cpu {

// A row-major matrix of float32, bfloat16 or float16, or its transpose: `stride` is the distance of rows in
// memory as it lies there, in elements.
struct Matrix {
  const void* data;
  DType dtype;
  int64_t stride;
  bool transposed = false;
};

// c [m, n] = alpha * a [m, k] @ b [k, n], or with `accumulate` c += that, in float32; a and b may differ in
// dtype. Sums are float32.
struct Product {
  int64_t m;
  int64_t n;
  int64_t k;
  Matrix a;
  Matrix b;
  void* c;  // row-major, of its own memory
  DType dtypeC;
  int64_t strideC;
  float alpha = 1;
  bool accumulate = false;
};

// Bytes of working memory that suffice for the product and for any with smaller sizes: packed blocks of a and
// b, at most 8 MiB, and sums that do not grow in c: at most 0.5 MiB where c is float32, else 8 MiB.
template <Isa isa>
int64_t gemmWorkspaceBytes(const Product& product);

// Whether the processor multiplies bfloat16 as such; else it is widened, and products take as long as of
// float32.
template <Isa isa>
bool multipliesBFloat16();

// Computes the product on all threads of the pool, or without one on the calling thread alone. The order of
// sums follows from the sizes, so the result has the same bits for any number of threads. m, n and k may be
// 0.
template <Isa isa>
void gemm(ThreadPool* pool, const Product& product, void* workspace);

}  // namespace crossmap::cpu
