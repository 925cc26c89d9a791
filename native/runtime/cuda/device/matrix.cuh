#pragma once
// Tensor cores of sm_80 and later (PTX ISA: ldmatrix, mma.sync). All lanes of a warp call these together.
//
// Fragments, with row group g = lane / 4 and t = lane % 4:
//   m16n8k16, 16-bit elements: a[0] (g, 2t..2t+1)  a[1] (g + 8, 2t..)  a[2] (g, 2t + 8..)  a[3] (g + 8, 2t
//   + 8..)
//                              b[0] (k = 2t..2t+1, n = g)              b[1] (k = 2t + 8.., n = g)
//   m16n8k8, tf32:             a[0] (g, t)  a[1] (g + 8, t)  a[2] (g, t + 4)  a[3] (g + 8, t + 4)
//                              b[0] (k = t, n = g)           b[1] (k = t + 4, n = g)
//   accumulators of both:      d[0..1] (g, 2t..2t+1)         d[2..3] (g + 8, 2t..2t+1)
#include <cstdint>

#include "runtime/cuda/language.h"
#include "runtime/dtype.h"

namespace crossmap::cuda {

// Four 8 x 8 matrices of 16-bit elements. Lane l gives the address of row l % 8 of matrix l / 8, 16 bytes; it
// gets elements (l / 4, 2 (l % 4)) and the next of each matrix.
__device__ inline void loadMatrices(uint32_t (&r)[4], uint32_t rowAddress) {
#ifdef CROSSMAP_SIMT
  simt::loadMatrices(r, 4, rowAddress, false);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(rowAddress)
               : "memory");
#endif
}

// The same, each matrix transposed.
__device__ inline void loadMatricesTransposed(uint32_t (&r)[4], uint32_t rowAddress) {
#ifdef CROSSMAP_SIMT
  simt::loadMatrices(r, 4, rowAddress, true);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(rowAddress)
               : "memory");
#endif
}

// Two matrices; lanes 0 to 15 give the addresses.
__device__ inline void loadMatrices(uint32_t (&r)[2], uint32_t rowAddress) {
#ifdef CROSSMAP_SIMT
  simt::loadMatrices(r, 2, rowAddress, false);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(rowAddress)
               : "memory");
#endif
}

__device__ inline void loadMatricesTransposed(uint32_t (&r)[2], uint32_t rowAddress) {
#ifdef CROSSMAP_SIMT
  simt::loadMatrices(r, 2, rowAddress, true);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(rowAddress)
               : "memory");
#endif
}

// d[16, 8] += a[16, 16] b[16, 8]: 16-bit elements, float32 sums.
template <typename E>
__device__ void multiplyAdd(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

template <>
__device__ inline void multiplyAdd<BFloat16>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                                             uint32_t b1) {
#ifdef CROSSMAP_SIMT
  simt::multiplyAdd(d, a, b0, b1, simt::MatrixKind::bfloat16);
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

template <>
__device__ inline void multiplyAdd<Float16>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#ifdef CROSSMAP_SIMT
  simt::multiplyAdd(d, a, b0, b1, simt::MatrixKind::float16);
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// d[16, 8] += a[16, 8] b[8, 8]: float32 of which the 13 lowest bits are not read (roundToTf32).
__device__ inline void multiplyAddTf32(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#ifdef CROSSMAP_SIMT
  simt::multiplyAdd(d, a, b0, b1, simt::MatrixKind::tf32);
#else
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

}  // namespace crossmap::cuda
