#include "runtime/cuda/cublas-lt.h"

#include <algorithm>
#include <array>
#include <bit>

#include "runtime/cuda/shared-library.h"
#include "runtime/error.h"

// Never run against the real library here: what follows is declared after NVIDIA's documentation, and the
// tests run it against a stand-in that checks each value and multiplies on the processor.
namespace crossmap::cuda {

namespace {

using Status = int;
constexpr Status kSuccess = 0;

// cudaDataType
constexpr int kFloat32 = 0;
constexpr int kFloat16 = 2;
constexpr int kBFloat16 = 14;
// cublasComputeType_t: products and sums in float32.
constexpr int kComputeFloat32 = 68;
// cublasOperation_t
constexpr int32_t kAsItIs = 0;
constexpr int32_t kTransposed = 1;
// cublasLtMatmulDescAttributes_t
constexpr int kTransposeA = 3;
constexpr int kTransposeB = 4;
// cublasLtMatmulPreferenceAttributes_t
constexpr int kMostWorkspace = 1;
constexpr int kReductionSchemes = 3;
constexpr int kLeastAlignmentA = 5;
constexpr int kLeastAlignmentB = 6;
constexpr int kLeastAlignmentC = 7;
constexpr int kLeastAlignmentD = 8;
// cublasLtReductionScheme_t: parts of a sum are kept as float32 in the workspace, and added in one order.
constexpr uint32_t kReduceInComputeType = 2;

struct Algorithm {
  uint64_t data[8];
};

struct Heuristic {
  Algorithm algorithm;
  size_t workspaceBytes;
  Status state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Heuristic) == 96);

int dataType(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return kFloat32;
    case DType::float16:
      return kFloat16;
    case DType::bfloat16:
      return kBFloat16;
    default:
      throw Error(ErrorCode::internal, "cuBLASLt: " + std::string(nameOf(dtype)) + " was not refused");
  }
}

// Text of any length may be evaluated, and each length has plans of its own.
constexpr size_t kMostPlans = 4096;

// The largest power of two that divides the address, as far as the library cares.
uint32_t alignmentOf(const void* pointer) {
  constexpr uint32_t kMost = 256;
  const auto address = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
  return address % kMost == 0 ? kMost : uint32_t{1} << std::countr_zero(address);
}

SharedLibrary findLibrary() { return SharedLibrary::find("libcublasLt.so.13", "libcublasLt.so.12"); }

// What the library makes and must get back.
class Owned {
 public:
  explicit Owned(Status (*destroy)(void*)) : destroy_(destroy) {}
  ~Owned() {
    if (object_) destroy_(object_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  void** out() { return &object_; }
  void* get() const { return object_; }

 private:
  Status (*destroy_)(void*);
  void* object_ = nullptr;
};

}  // namespace

// The functions that are used.
struct CublasLt::Api {
  SharedLibrary library;
  Status (*create)(void** handle);
  Status (*destroy)(void* handle);
  size_t (*version)();
  Status (*productCreate)(void** product, int computeType, int scaleType);
  Status (*productDestroy)(void* product);
  Status (*productSet)(void* product, int attribute, const void* value, size_t bytes);
  Status (*layoutCreate)(void** layout, int type, uint64_t rows, uint64_t columns, int64_t leading);
  Status (*layoutDestroy)(void* layout);
  Status (*preferenceCreate)(void** preference);
  Status (*preferenceDestroy)(void* preference);
  Status (*preferenceSet)(void* preference, int attribute, const void* value, size_t bytes);
  Status (*heuristic)(void* handle, void* product, void* a, void* b, void* c, void* d, void* preference,
                      int wanted, Heuristic* results, int* found);
  Status (*multiply)(void* handle, void* product, const void* alpha, const void* a, void* aLayout,
                     const void* b, void* bLayout, const void* beta, const void* c, void* cLayout, void* d,
                     void* dLayout, const Algorithm* algorithm, void* workspace, size_t workspaceBytes,
                     CUstream_st* stream);

  bool find() {
    return library.look("cublasLtCreate", create) && library.look("cublasLtDestroy", destroy) &&
           library.look("cublasLtGetVersion", version) &&
           library.look("cublasLtMatmulDescCreate", productCreate) &&
           library.look("cublasLtMatmulDescDestroy", productDestroy) &&
           library.look("cublasLtMatmulDescSetAttribute", productSet) &&
           library.look("cublasLtMatrixLayoutCreate", layoutCreate) &&
           library.look("cublasLtMatrixLayoutDestroy", layoutDestroy) &&
           library.look("cublasLtMatmulPreferenceCreate", preferenceCreate) &&
           library.look("cublasLtMatmulPreferenceDestroy", preferenceDestroy) &&
           library.look("cublasLtMatmulPreferenceSetAttribute", preferenceSet) &&
           library.look("cublasLtMatmulAlgoGetHeuristic", heuristic) &&
           library.look("cublasLtMatmul", multiply);
  }
};

// How products of one shape are computed, or that they cannot be.
struct CublasLt::Plan {
  explicit Plan(const Api& api)
      : product(api.productDestroy), a(api.layoutDestroy), b(api.layoutDestroy), c(api.layoutDestroy) {}

  Owned product;
  Owned a, b, c;
  Heuristic choice{};
  bool isPossible = false;
};

// The library, found and begun.
struct CublasLt::Started {
  std::unique_ptr<Api> api;
  void* handle;
  std::string description;
};

std::string CublasLt::find() { return findLibrary().name(); }

std::unique_ptr<CublasLt> CublasLt::load() {
  auto api = std::make_unique<Api>();
  api->library = findLibrary();
  if (!api->library || !api->find()) return nullptr;
  void* handle = nullptr;
  if (api->create(&handle) != kSuccess) return nullptr;
  const size_t version = api->version();  // 130002 for 13.0.2
  std::string description = api->library.name() + ", version " + std::to_string(version / 10000) + "." +
                            std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
  return std::make_unique<CublasLt>(Started{std::move(api), handle, std::move(description)});
}

CublasLt::CublasLt(Started started)
    : api_(std::move(started.api)), handle_(started.handle), description_(std::move(started.description)) {}

CublasLt::~CublasLt() {
  plans_.clear();
  api_->destroy(handle_);
}

bool CublasLt::matmul(const Product& product, void* workspace, CUstream_st* stream) {
  if (product.m == 0 || product.n == 0 || product.k == 0) return false;
  const std::lock_guard lock(mutex_);
  const Plan* plan = planFor(product);
  if (!plan) return false;
  constexpr float kOne = 1;
  constexpr float kZero = 0;
  // The library sees transposes: it reads our rows as its columns. So it computes c' = op(b)' op(a)'.
  return api_->multiply(handle_, plan->product.get(), &kOne, product.b, plan->b.get(), product.a,
                        plan->a.get(), &kZero, product.c, plan->c.get(), product.c, plan->c.get(),
                        &plan->choice.algorithm, workspace, plan->choice.workspaceBytes, stream) == kSuccess;
}

const CublasLt::Plan* CublasLt::planFor(const Product& product) {
  const auto& [a, b, c, m, n, k, transposeA, transposeB, dtype, result] = product;
  const std::array<uint32_t, 3> alignments{alignmentOf(b), alignmentOf(a), alignmentOf(c)};
  std::string key;
  for (const int64_t part :
       {m, n, k, int64_t{transposeA}, int64_t{transposeB}, static_cast<int64_t>(dtype),
        static_cast<int64_t>(result), int64_t{alignments[0]}, int64_t{alignments[1]}, int64_t{alignments[2]}})
    key += std::to_string(part) + " ";
  if (plans_.size() > kMostPlans) plans_.clear();
  auto& plan = plans_[key];
  if (plan) return plan->isPossible ? plan.get() : nullptr;

  plan = std::make_unique<Plan>(*api_);
  const auto layout = [&](Owned& made, DType type, int64_t rows, int64_t columns) {
    return api_->layoutCreate(made.out(), dataType(type), static_cast<uint64_t>(columns),
                              static_cast<uint64_t>(rows), columns) == kSuccess;
  };
  const int32_t first = transposeB ? kTransposed : kAsItIs;
  const int32_t second = transposeA ? kTransposed : kAsItIs;
  Owned preference(api_->preferenceDestroy);
  const auto prefer = [&](int attribute, const auto& value) {
    return api_->preferenceSet(preference.get(), attribute, &value, sizeof value) == kSuccess;
  };
  constexpr uint64_t kMost = kWorkspaceBytes;
  int found = 0;
  plan->isPossible =
      api_->productCreate(plan->product.out(), kComputeFloat32, kFloat32) == kSuccess &&
      api_->productSet(plan->product.get(), kTransposeA, &first, sizeof first) == kSuccess &&
      api_->productSet(plan->product.get(), kTransposeB, &second, sizeof second) == kSuccess &&
      layout(plan->a, dtype, transposeA ? k : m, transposeA ? m : k) &&
      layout(plan->b, dtype, transposeB ? n : k, transposeB ? k : n) && layout(plan->c, result, m, n) &&
      api_->preferenceCreate(preference.out()) == kSuccess && prefer(kMostWorkspace, kMost) &&
      prefer(kReductionSchemes, kReduceInComputeType) && prefer(kLeastAlignmentA, alignments[0]) &&
      prefer(kLeastAlignmentB, alignments[1]) && prefer(kLeastAlignmentC, alignments[2]) &&
      prefer(kLeastAlignmentD, alignments[2]) &&
      api_->heuristic(handle_, plan->product.get(), plan->b.get(), plan->a.get(), plan->c.get(),
                      plan->c.get(), preference.get(), 1, &plan->choice, &found) == kSuccess &&
      found == 1 && plan->choice.state == kSuccess;
  return plan->isPossible ? plan.get() : nullptr;
}

}  // namespace crossmap::cuda
