#include "ops/matmul/matmul-cpu.h"

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/gemm.h"

namespace crossmap::cpu {

template <Isa isa>
void matmul(const Tensor& a, bool transposeA, const Tensor& b, bool transposeB, const Tensor& out) {
  const Product product{.m = out.size(0),
                        .n = out.size(1),
                        .k = a.size(transposeA ? 0 : 1),
                        .a = {a.raw(), a.dtype(), a.size(1), transposeA},
                        .b = {b.raw(), b.dtype(), b.size(1), transposeB},
                        .c = out.raw(),
                        .dtypeC = out.dtype(),
                        .strideC = out.size(1)};
  const Tensor workspace = empty({gemmWorkspaceBytes<isa>(product)}, DType::uint8, out.device());
  enqueue(out.device(), "matmul",
          [=, memory = workspace.raw()](Context& context) { gemm<isa>(&context.pool, product, memory); });
}

template void matmul<kIsa>(const Tensor&, bool, const Tensor&, bool, const Tensor&);

}  // namespace crossmap::cpu
