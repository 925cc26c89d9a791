// Multiplies through runtime/cuda/cublas-lt and compares with three loops. Prints the library's description, then a
// line for each product: its name and the largest error.
#include <dlfcn.h>

#include <cmath>
#include <iostream>
#include <vector>

#include "runtime/cuda/cublas-lt.h"

namespace {

using namespace crossmap;
using crossmap::cuda::CublasLt;
using crossmap::cuda::Product;

auto* const kStream = reinterpret_cast<CUstream_st*>(0x77);

// A small whole number: products and sums of them are exact in every dtype.
float numberAt(int64_t index) { return static_cast<float>(index * 7 % 5 - 2); }

template <typename E, typename R>
void multiply(CublasLt& library, bool transposeA, bool transposeB, int shift) {
  constexpr int64_t m = 5, n = 7, k = 6;
  std::vector<E> a(m * k + shift), b(k * n + shift);
  std::vector<R> c(m * n);
  for (size_t index = 0; index < a.size(); index++) a[index] = fromFloat<E>(numberAt(static_cast<int64_t>(index)));
  for (size_t index = 0; index < b.size(); index++) b[index] = fromFloat<E>(numberAt(static_cast<int64_t>(index) + 3));
  std::vector<char> workspace(CublasLt::kWorkspaceBytes);
  const bool done = library.matmul({a.data() + shift, b.data() + shift, c.data(), m, n, k, transposeA, transposeB,
                                    dtypeOf<E>(), dtypeOf<R>()},
                                   workspace.data(), kStream);
  std::cout << nameOf(dtypeOf<E>()) << " " << nameOf(dtypeOf<R>()) << (transposeA ? " a'" : " a")
            << (transposeB ? " b'" : " b") << " ";
  if (!done) {
    std::cout << "not computed\n";
    return;
  }
  double worst = 0;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t l = 0; l < k; l++)
        sum += double{toFloat(a[shift + (transposeA ? l * m + i : i * k + l)])} *
               double{toFloat(b[shift + (transposeB ? j * k + l : l * n + j)])};
      worst = std::max(worst, std::abs(double{toFloat(c[i * n + j])} - sum));
    }
  std::cout << worst << "\n";
}

}  // namespace

int main() {
  {
    const auto library = CublasLt::load();
    if (!library) {
      std::cout << "not found\n";
      return 0;
    }
    std::cout << library->description() << "\n";
    for (const bool transposeA : {false, true})
      for (const bool transposeB : {false, true}) {
        multiply<float, float>(*library, transposeA, transposeB, 0);
        multiply<BFloat16, BFloat16>(*library, transposeA, transposeB, 0);
        multiply<BFloat16, float>(*library, transposeA, transposeB, 1);
        multiply<Float16, Float16>(*library, transposeA, transposeB, 3);
      }
    // The second time the plan is there already.
    multiply<float, float>(*library, false, false, 0);
    const Product empty{nullptr, nullptr, nullptr, 0, 4, 4, false, false, DType::float32, DType::float32};
    std::cout << "empty " << library->matmul(empty, nullptr, kStream) << "\n";
  }
  void* fake = dlopen("libcublasLt.so.13", RTLD_NOW | RTLD_NOLOAD);
  if (auto* living = reinterpret_cast<int (*)()>(dlsym(fake, "fakeCublasLtLiving")))
    std::cout << "living " << living() << "\n";
}
