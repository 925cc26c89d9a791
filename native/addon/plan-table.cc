#include "addon/plan-table.h"

#include "addon/convert.h"
#include "addon/guard.h"
#ifdef CROSSMAP_CUDA
#include "runtime/cuda/cuda-device.h"
#include "runtime/cuda/plan-report.h"
#endif

namespace crossmap::addon {

#ifdef CROSSMAP_CUDA

namespace {

std::vector<cuda::PlanReport> reports(const cuda::Architecture&) { return {}; }

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
