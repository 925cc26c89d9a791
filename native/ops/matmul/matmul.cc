#include "ops/matmul/matmul.h"

#include "ops/matmul/matmul-cpu.h"
#include "ops/matmul/matmul-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

Tensor multiply(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  const int64_t m = a.size(options.transposeA ? 1 : 0);
  const int64_t n = b.size(options.transposeB ? 0 : 1);
  const Tensor out = empty({m, n}, options.dtype.value_or(a.dtype()), a.device());
  onDevice(
      a.device(),
      [&]<cpu::Isa isa>() { cpu::matmul<isa>(a, options.transposeA, b, options.transposeB, out); },
      [&](auto& stream) { cuda::matmul(stream, a, options.transposeA, b, options.transposeB, out); });
  return out;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  Expect expect("matmul");
  expect.rank("a", a, 2).rank("b", b, 2);
  const int64_t k = a.size(options.transposeA ? 0 : 1);
  const Shape expected = options.transposeB ? Shape{b.size(0), k} : Shape{k, b.size(1)};
  expect.shape("b", b, expected, "a", a)
      .floating("a", a)
      .sameDType("b", b, "a", a)
      .sameDevice("b", b, "a", a);
  const DType dtype = options.dtype.value_or(a.dtype());
  expect.that(dtype == a.dtype() || dtype == DType::float32, ErrorCode::dtype, "options.dtype",
              "float32 or that of a, " + std::string(nameOf(a.dtype())), std::string(nameOf(dtype)));
  return multiply(a, b, options);
}

Tensor linear(const Tensor& x, const Tensor& weight) {
  Expect("linear")
      .rank("x", x, 2)
      .rank("weight", weight, 2)
      .shape("weight", weight, {weight.size(0), x.size(1)}, "x", x)
      .floating("x", x)
      .sameDType("weight", weight, "x", x)
      .sameDevice("weight", weight, "x", x);
  return multiply(x, weight, {.transposeA = false, .transposeB = true, .dtype = {}});
}

}  // namespace crossmap
