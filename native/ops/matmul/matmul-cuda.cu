// Products of matrices by cuBLASLt where the system has it, else by our own tensor-core kernel
// (runtime/cuda/gemm.cuh).
#include "ops/matmul/matmul-cuda.h"
#include "runtime/cuda/cublas-lt.h"
#include "runtime/cuda/gemm-plan.h"
#include "runtime/cuda/gemm.cuh"

namespace crossmap::cuda {

namespace {

// Stores float32 or the operands' dtype: chosen at run time, since a second kernel for it would double the
// build.
template <typename E>
struct StoreMatmul {
  StoreProduct<float> wide;  // c null where the other is meant
  StoreProduct<E> narrow;

  template <typename Tile>
  __device__ void operator()(const GemmBlock& block, const Accumulators<Tile>& rSums, char* sScratch) const {
    if (wide.c)
      wide(block, rSums, sScratch);
    else
      narrow(block, rSums, sScratch);
  }
};

constexpr int kAddThreads = 256;

template <typename Out>
struct AddPartsArgs {
  const float* parts;  // [splits, elements]
  Out* sum;            // [elements]
  int64_t elements;
  int64_t splits;
};

// A thread owns an element and adds its parts in order. Bound by memory: every part is read once.
template <typename Out>
__global__ void __launch_bounds__(kAddThreads) addPartsKernel(AddPartsArgs<Out> args) {
  const int64_t step = int64_t{gridDim.x} * kAddThreads;
  for (int64_t i = int64_t{blockIdx.x} * kAddThreads + threadIdx.x; i < args.elements; i += step) {
    float sum = 0;
    for (int64_t split = 0; split < args.splits; split++) sum += args.parts[split * args.elements + i];
    args.sum[i] = round<Out>(sum);
  }
}

template <typename Out>
void addParts(Stream& stream, const Tensor& parts, const Tensor& out) {
  const AddPartsArgs<Out> args{parts.data<float>(), out.data<Out>(), out.elements(), parts.size(0)};
  const int64_t blocks = std::min<int64_t>(ceilDiv(args.elements, int64_t{kAddThreads}),
                                           int64_t{8} * stream.architecture().multiprocessors);
  launch(stream, {"matmul", {blocks}, kAddThreads}, addPartsKernel<Out>, args);
}

// Calls f with the layouts as constants.
template <typename F>
void onLayouts(bool transposeA, bool transposeB, F&& f) {
  constexpr auto kDepth = Contiguous::depth, kLine = Contiguous::line;
  if (!transposeA && transposeB) return f.template operator()<kDepth, kDepth>();
  if (!transposeA) return f.template operator()<kDepth, kLine>();
  if (!transposeB) return f.template operator()<kLine, kLine>();
  return f.template operator()<kLine, kDepth>();
}

template <typename E>
StoreMatmul<E> storeInto(const Tensor& out) {
  const bool isWide = out.dtype() == DType::float32;
  const int64_t stride = out.size(out.rank() - 1);
  StoreMatmul<E> store{storeProduct<float>(isWide ? out.data<float>() : nullptr, stride),
                       storeProduct<E>(isWide ? nullptr : out.data<E>(), stride)};
  return store;
}

// Whether the library has enqueued the product. It is not asked for sums over nothing.
bool multiplyByLibrary(Stream& stream, const Tensor& a, bool transposeA, const Tensor& b, bool transposeB,
                       const Tensor& out) {
  const int64_t k = a.size(transposeA ? 0 : 1);
  CublasLt* library = stream.cublasLt();
  if (library == nullptr || k == 0) return false;
  // On a GPU it is that type; the emulator, whose streams are not, has no library.
  auto* queue = reinterpret_cast<CUstream_st*>(stream.handle());
  const Tensor workspace = empty({CublasLt::kWorkspaceBytes}, DType::uint8, out.device());
  return library->matmul({.a = a.raw(),
                          .b = b.raw(),
                          .c = out.raw(),
                          .m = out.size(0),
                          .n = out.size(1),
                          .k = k,
                          .transposeA = transposeA,
                          .transposeB = transposeB,
                          .dtype = a.dtype(),
                          .result = out.dtype()},
                         workspace.raw(), queue);
}

}  // namespace

void matmul(Stream& stream, const Tensor& a, bool transposeA, const Tensor& b, bool transposeB,
            const Tensor& out) {
  if (out.elements() == 0) return;
  if (multiplyByLibrary(stream, a, transposeA, b, transposeB, out)) return;
  const int64_t m = out.size(0), n = out.size(1), k = a.size(transposeA ? 0 : 1);
  const GemmPlan plan = gemmPlan(stream.architecture(), m, n, k);
  const bool isSplit = plan.splits > 1;
  const Tensor sums = isSplit ? empty({plan.splits, m, n}, DType::float32, out.device()) : out;
  onFloatDType(a.dtype(), [&]<typename E>(E) {
    GemmArgs<E> args{gemmOperand(a.data<E>(), a.size(1)), gemmOperand(b.data<E>(), b.size(1)), m, n, k};
    args.splits = plan.splits;
    StoreMatmul<E> store = storeInto<E>(sums);
    store.wide.splitStride = m * n;
    store.wide.isPaired = store.wide.isPaired && m * n % 2 == 0;
    onLayouts(transposeA, transposeB, [&]<Contiguous layoutA, Contiguous layoutB>() {
      if (plan.tile == 128)
        launchGemm<layoutA, layoutB, GemmTile<E, 128>>(stream, "matmul", args, store);
      else
        launchGemm<layoutA, layoutB, GemmTile<E, 64>>(stream, "matmul", args, store);
    });
  });
  if (!isSplit) return;
  onFloatDType(out.dtype(), [&]<typename Out>(Out) { addParts<Out>(stream, sums, out); });
}

}  // namespace crossmap::cuda
