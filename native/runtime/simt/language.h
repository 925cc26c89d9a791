// simt: CUDA execution model on plain C++. Public header seen by kernels (device side) and launchers (host side).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <cmath>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) alignas(n)
#define __restrict__ __restrict

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x, y, z; constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {} };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };

namespace simt {

enum class MatrixKind { bfloat16, float16, tf32 };
constexpr int kMaxWarps = 32, kMaxThreads = 1024, kMaxAgents = 64;   // agents: async writers (one per mbarrier)
struct Block; struct Warp; struct VC;

struct Pending { uint32_t dst; const void* src; uint32_t bytes, srcbytes; const char* file; int line; };

struct Fiber {                    // one CUDA thread
  void* sp; uint3 tid; uint32_t lin, lane;
  Block* blk; Warp* warp;
  VC* base; uint32_t clk, fence_clk; // vector clock = base snapshot + own clock
  const char* wfile; int wline; const char* wwhat; // what it waits for (deadlock report)
  bool done; char *stk_lo, *stk_hi;
  void* ext;                      // per-thread async state + access log
};

extern thread_local Fiber* self __attribute__((tls_model("initial-exec")));

struct BlockView { uint3 bid, bdim, gdim; };
const BlockView& view();
inline BlockView* gview(Fiber* f) { return (BlockView*)f->blk; }   // BlockView is Block's first member

struct Stats {
  uint64_t threads, blocks, switches, warp_ops, barriers, mma, ldmatrix, cp_async_bytes, shfl;
  uint64_t g_req, g_sectors, g_bytes, s_req, s_wave, s_bytes, accesses, races, oob, uninit, other, s_ideal, mma_kind[3];
};
Stats stats();                    // merged over workers
void stats_reset();

enum class Mode { fast, check };  // check: race/uninit/oob shadow + access log (needs instrumented kernels)
struct Config { int workers = 1; Mode mode = Mode::fast; bool profile = false; int async_order = 0; /*0 lazy,1 eager*/ uint32_t seed = 0; bool abort_on_error = false; };
Config& config();
int error_count();
void clear_errors();
const char* last_error();

#define SIMT_LOC const char* file = __builtin_FILE(), int line = __builtin_LINE()

// ---- device side -----------------------------------------------------------------------------------------------
void bar_sync(int id, int n, SIMT_LOC);
void bar_arrive(int id, int n, SIMT_LOC);
void sync_warp(uint32_t mask, SIMT_LOC);
uint64_t shfl(uint32_t mask, uint64_t v, int src, int mode, int width, SIMT_LOC); // 0 idx,1 up,2 down,3 xor
uint32_t ballot(uint32_t mask, bool p, SIMT_LOC);
char* dynamicShared();
uint32_t sharedAddress(const void* p);
void copyAsync(uint32_t dst, const void* src, int bytes, int srcbytes, SIMT_LOC);
void commitCopies(); void waitCopies(int n);
void loadMatricesN(uint32_t* r, int num, uint32_t addr, bool trans, const char* file, int line);
template <size_t N> inline void loadMatrices(uint32_t (&r)[N], int num, uint32_t addr, bool trans, SIMT_LOC) { loadMatricesN(r, num, addr, trans, file, line); }
void multiplyAdd(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, MatrixKind kind, SIMT_LOC);
void misaligned(const void* p, size_t n);
void note_access(const void* p, size_t n, bool write, void* pc);  // explicit hook for wrappers

// ---- host side ---------------------------------------------------------------------------------------------------
void run_grid(dim3 grid, dim3 block, size_t smem, void (*fn)(void*), void* arg, const char* name);
void* dev_alloc(size_t n); void dev_free(void* p);

template <class T> inline T loadWide(const void* p) { if ((uintptr_t)p & (sizeof(T) - 1)) misaligned(p, sizeof(T)); note_access(p, sizeof(T), false, nullptr); T t; __builtin_memcpy(&t, p, sizeof(T)); return t; }
template <class T> inline void storeWide(void* p, const T& t) { if ((uintptr_t)p & (sizeof(T) - 1)) misaligned(p, sizeof(T)); note_access(p, sizeof(T), true, nullptr); __builtin_memcpy(p, &t, sizeof(T)); }
float exp2Fast(float x);
uint32_t roundToTf32(float x);
} // namespace simt

template <class T> inline T min(T a, T b) { return b < a ? b : a; }
template <class T> inline T max(T a, T b) { return a < b ? b : a; }
#define threadIdx (::simt::self->tid)
#define blockIdx (::simt::gview(::simt::self)->bid)
#define blockDim (::simt::gview(::simt::self)->bdim)
#define gridDim (::simt::gview(::simt::self)->gdim)

inline void __syncthreads(SIMT_LOC) { simt::bar_sync(0, 0, file, line); }
inline void __syncwarp(uint32_t m = 0xffffffffu, SIMT_LOC) { simt::sync_warp(m, file, line); }
namespace simt { template <class T> inline T shfl_t(uint32_t m, T v, int s, int mode, int w, const char* f, int l) {
  static_assert(sizeof(T) <= 8); uint64_t u = 0; memcpy(&u, &v, sizeof(T)); u = shfl(m, u, s, mode, w, f, l); memcpy(&v, &u, sizeof(T)); return v; } }
template <class T> inline T __shfl_sync(uint32_t m, T v, int s, int w = 32, SIMT_LOC) { return simt::shfl_t(m, v, s, 0, w, file, line); }
template <class T> inline T __shfl_up_sync(uint32_t m, T v, int s, int w = 32, SIMT_LOC) { return simt::shfl_t(m, v, s, 1, w, file, line); }
template <class T> inline T __shfl_down_sync(uint32_t m, T v, int s, int w = 32, SIMT_LOC) { return simt::shfl_t(m, v, s, 2, w, file, line); }
template <class T> inline T __shfl_xor_sync(uint32_t m, T v, int s, int w = 32, SIMT_LOC) { return simt::shfl_t(m, v, s, 3, w, file, line); }
inline int __any_sync(uint32_t m, int p, SIMT_LOC) { return simt::ballot(m, p != 0, file, line) != 0; }
inline int __all_sync(uint32_t m, int p, SIMT_LOC) { return simt::ballot(m, p == 0, file, line) == 0; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
template <class T> inline T __ldg(const T* p) { return *p; }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline uint32_t __ballot_sync(uint32_t m, bool p, SIMT_LOC) { return simt::ballot(m, p, file, line); }
inline float atomicAdd(float* p, float v) { uint32_t o, n; auto* u = (uint32_t*)p; o = __atomic_load_n(u, 0); float f;
  do { memcpy(&f, &o, 4); f += v; memcpy(&n, &f, 4); } while (!__atomic_compare_exchange_n(u, &o, n, true, 0, 0)); float r; memcpy(&r, &o, 4); return r; }
inline unsigned long long atomicAdd(unsigned long long* p, unsigned long long v) { return __atomic_fetch_add(p, v, 0); }
template <class T> inline T simtAtomicUpdate(T* p, T v, bool less) { T o = __atomic_load_n(p, 0); while ((less ? v < o : v > o) && !__atomic_compare_exchange_n(p, &o, v, true, 0, 0)) {} return o; }
inline int atomicMin(int* p, int v) { return simtAtomicUpdate(p, v, true); }
inline unsigned atomicMin(unsigned* p, unsigned v) { return simtAtomicUpdate(p, v, true); }
inline unsigned long long atomicMin(unsigned long long* p, unsigned long long v) { return simtAtomicUpdate(p, v, true); }
inline int atomicMax(int* p, int v) { return simtAtomicUpdate(p, v, false); }
inline unsigned atomicMax(unsigned* p, unsigned v) { return simtAtomicUpdate(p, v, false); }
inline unsigned long long atomicMax(unsigned long long* p, unsigned long long v) { return simtAtomicUpdate(p, v, false); }
template <class T> inline T atomicCAS(T* p, T expected, T v) { __atomic_compare_exchange_n(p, &expected, v, false, 0, 0); return expected; }
template <class T> inline T atomicExch(T* p, T v) { return __atomic_exchange_n(p, v, 0); }
inline int atomicAdd(int* p, int v) { return __atomic_fetch_add(p, v, 0); }
inline unsigned atomicAdd(unsigned* p, unsigned v) { return __atomic_fetch_add(p, v, 0); }

// ---- host API under CUDA's names
typedef struct SimtStream* cudaStream_t;
typedef struct SimtEvent* cudaEvent_t;
enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2, cudaErrorLaunchFailure = 719 };
const char* cudaGetErrorString(cudaError_t e);
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice, cudaMemcpyDefault };
constexpr unsigned cudaStreamNonBlocking = 1;
cudaError_t cudaMalloc(void** p, size_t n);
cudaError_t cudaFree(void* p);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t n, cudaMemcpyKind kind, cudaStream_t s);
cudaError_t cudaMemsetAsync(void* to, int value, size_t n, cudaStream_t s);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamSynchronize(cudaStream_t s);
#include <tuple>
namespace simt {
template <typename... P> cudaError_t launch(const char* name, dim3 g, dim3 b, size_t smem, cudaStream_t, void (*k)(P...), std::type_identity_t<P>... a) {
  struct Pack { void (*k)(P...); std::tuple<P...> t; } pk{k, std::tuple<P...>(a...)};
  run_grid(g, b, smem, [](void* v) { auto* p = (Pack*)v; std::apply(p->k, p->t); }, &pk, name); return error_count() ? cudaErrorLaunchFailure : cudaSuccess; }
}
namespace crossmap { namespace simt = ::simt; }
#include "runtime/simt/api/host.h"
