#pragma once
// Kernels only; internal linkage as in simd.h.

namespace crossmap::cpu {
namespace {

// What kernels need done on a thread before the first of them and after the last: their `enter` and `leave`,
// functions or null.
template <typename Kernels>
class KernelScope {
 public:
  explicit KernelScope(const Kernels& kernels) : kernels_(kernels) {
    if (kernels_.enter) kernels_.enter();
  }
  ~KernelScope() {
    if (kernels_.leave) kernels_.leave();
  }
  KernelScope(const KernelScope&) = delete;
  KernelScope& operator=(const KernelScope&) = delete;

 private:
  const Kernels& kernels_;
};

}  // namespace
}  // namespace crossmap::cpu
