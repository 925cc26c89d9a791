#include "addon/plan-table.h"

#include "addon/convert.h"
#include "addon/guard.h"
#ifdef CROSSMAP_CUDA
#include "ops/attention/attention-cuda-plan.h"
#include "ops/contrastive/contrastive-plan.h"
#include "ops/linear-cross-entropy/linear-cross-entropy-plan.h"
#include "ops/reduce/reduce-plan.h"
#include "ops/rms-norm/rms-norm-plan.h"
#include "ops/softmax/softmax-plan.h"
#include "runtime/cuda/cuda-device.h"
#include "runtime/cuda/gemm-plan.h"
#include "runtime/cuda/plan-report.h"
#endif

namespace crossmap::addon {

#ifdef CROSSMAP_CUDA

namespace {

using cuda::Architecture;
using cuda::PlanReport;

// A typical step: 8192 tokens of a decoder with 2048 features, 16 heads of 128 and 32,000 words.
constexpr int64_t kTokens = 8192;
constexpr int64_t kFeatures = 2048;
constexpr int64_t kVocab = 32000;
constexpr int kBFloat16Width = 8;  // elements of an access of 16 bytes

std::string number(int64_t value) { return std::to_string(value); }

std::string shape(std::initializer_list<int64_t> sizes) { return Shape(sizes).text(); }

PlanReport matmulReport(const Architecture& architecture, const char* what, int64_t m, int64_t n, int64_t k) {
  const auto [tile, splits] = cuda::gemmPlan(architecture, m, n, k);
  return {"matmul", std::string(what) + " bfloat16 " + shape({m, k}) + " x " + shape({k, n}),
          "cuBLASLt if it is there; else own kernel, tiles " + number(tile) + " x " + number(tile) + ", " +
              number(splits) + (splits == 1 ? " part" : " parts") + " of the depth"};
}

PlanReport attentionReport(const Architecture& architecture, cuda::AttentionPass pass, const char* what) {
  const AttentionShape causal{kTokens, kTokens, 4, 16, 16, 128};
  const auto tiling = cuda::attentionTiling(architecture, DType::bfloat16, causal, pass);
  return {"attention", std::string(what) + " bfloat16 " + shape({kTokens, 16, 128}) + ", 4 segments",
          "tiles of " + number(tiling.owned) + ", blocks of " + number(tiling.streamed) + " pass by, " +
              number(tiling.threads) + " threads, " + number(tiling.sharedBytes) +
              " bytes of shared memory, " + number(tiling.splits) +
              (tiling.splits == 1 ? " split" : " splits")};
}

PlanReport contrastiveReport(const Architecture& architecture) {
  constexpr int64_t kPairs = 16384;
  const int processors = architecture.multiprocessors;
  const int64_t side = cuda::pullPanelSide(processors, DType::bfloat16, kFeatures);
  return {"contrastive", "bfloat16 " + shape({kPairs, kFeatures}),
          "tiles of " + number(cuda::kScoreTile) + ", forward panels of " +
              number(cuda::sweepPanelRows(processors, kPairs)) + " rows, backward panels of " + number(side) +
              " x " + number(side)};
}

PlanReport linearCrossEntropyReport(const Architecture& architecture) {
  const auto plan = cuda::linearCrossEntropyPlan(architecture, kTokens, kVocab, 2, true);
  const bool isStored = plan.method == cuda::LinearCrossEntropyMethod::stored;
  return {
      "linearCrossEntropy", "bfloat16 " + shape({kTokens, kFeatures}) + " x " + shape({kVocab, kFeatures}),
      (isStored ? "3 products, logits of a chunk are stored; " : "4 products, logits are computed again; ") +
          std::string("chunks of ") + number(plan.rows) + " tokens and " + number(plan.columns) + " words"};
}

PlanReport rmsNormReport(const Architecture& architecture) {
  constexpr int64_t kScratchBytes = 128;
  const auto plan = cuda::rmsNormPlan(architecture, kTokens, kFeatures, kFeatures * 4, kScratchBytes);
  return {"rmsNorm", "bfloat16 " + shape({kTokens, kFeatures}),
          number(plan.threads) + " threads, " + number(plan.teams) +
              (plan.teams == 1 ? " token" : " tokens") + " at a time, " + number(plan.blocks) +
              " blocks, rows are " + (plan.isKept ? "kept in shared memory" : "read twice")};
}

PlanReport reduceReport(const Architecture&) {
  const auto plan = cuda::reducePlan(kTokens, kFeatures, kBFloat16Width);
  return {"reduce", "bfloat16 " + shape({kTokens, kFeatures}) + ", last axis",
          number(plan.lanes) + " threads a row, " + number(plan.rowsPerBlock) + " rows a block, " +
              number(plan.splits) + (plan.splits == 1 ? " part" : " parts") + " a row"};
}

PlanReport softmaxReport(const Architecture& architecture) {
  const auto plan = cuda::softmaxPlan(kVocab, kBFloat16Width, kVocab * 2, architecture.sharedBytes);
  return {"softmax", "bfloat16 " + shape({kTokens, kVocab}),
          number(plan.lanes) + " threads a row, " +
              (plan.isKept ? "rows kept in " + number(plan.sharedBytes) + " bytes of shared memory"
                           : std::string("rows read twice"))};
}

std::vector<PlanReport> reports(const Architecture& architecture) {
  return {
      attentionReport(architecture, cuda::AttentionPass::forward, "forward"),
      attentionReport(architecture, cuda::AttentionPass::backward, "backward"),
      contrastiveReport(architecture),
      linearCrossEntropyReport(architecture),
      matmulReport(architecture, "forward", kTokens, kFeatures, kFeatures),
      matmulReport(architecture, "gradient of a weight", kFeatures, kFeatures, kTokens),
      reduceReport(architecture),
      rmsNormReport(architecture),
      softmaxReport(architecture),
  };
}

}  // namespace

Napi::Value plans(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Environment& environment = Environment::of(info.Env());
    if (!environment.hasCuda()) return Napi::Array::New(info.Env());
    const Device device = environment.device(std::string(nameOf(cuda::kCudaKind)));
    return toValue(info.Env(), reports(cuda::cudaOf(device).architecture()));
  });
}

#else

Napi::Value plans(const Napi::CallbackInfo& info) { return Napi::Array::New(info.Env()); }

#endif

}  // namespace crossmap::addon
