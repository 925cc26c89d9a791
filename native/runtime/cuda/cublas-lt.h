#pragma once
// Matrix products by cuBLASLt, where the system has it. The library is opened at run time: no build needs its
// header and no machine needs the library. Its functions, enums and structs are declared in cublas-lt.cc.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/dtype.h"

struct CUstream_st;  // what a cudaStream_t points to

namespace crossmap::cuda {

// c[m, n] = op(a) op(b), all row-major and contiguous; op(a) is [m, k], op(b) [k, n].
struct Product {
  const void* a;  // [m, k], or [k, m] where it is transposed
  const void* b;  // [k, n], or [n, k] where it is transposed
  void* c;        // [m, n]
  int64_t m, n, k;
  bool transposeA, transposeB;
  DType dtype;   // of a and b: float32, bfloat16 or float16
  DType result;  // of c: dtype, or float32
};

class CublasLt {
 public:
  // What matmul may use as its workspace.
  static constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;

  // The name under which the system has the library; empty where it has not.
  static std::string find();
  // Nothing where the library is missing or does not start.
  static std::unique_ptr<CublasLt> load();
  struct Started;
  explicit CublasLt(Started started);
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  // `libcublasLt.so.13, version 13.0.2`
  const std::string& description() const { return description_; }

  // Enqueues the product; sums are float32 and float32 inputs are not shortened to TF32. The same product
  // gives the same bits each time: of parts of a sum only the scheme that stores them as float32 is let in.
  //
  // `workspace` has kWorkspaceBytes bytes and belongs to the call until the stream has passed it. False where
  // the library has no way to compute the product: nothing was enqueued then. Thread-safe.
  bool matmul(const Product& product, void* workspace, CUstream_st* stream);

 private:
  struct Api;
  struct Plan;

  const Plan* planFor(const Product& product);

  std::unique_ptr<Api> api_;
  void* handle_;
  std::string description_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Plan>> plans_;  // by what the choice depends on; guarded by mutex_
};

}  // namespace crossmap::cuda
