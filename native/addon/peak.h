#pragma once
#include <napi.h>

namespace crossmap::addon {

// multiplyAdds(dtype): the names of those that kernels of the CPU device have for the dtype.
Napi::Value multiplyAdds(const Napi::CallbackInfo& info);

// runPeakLoops(name: string): number. Enqueues loops of such multiply-adds on all threads of the CPU device,
// and gives their floating-point operations.
Napi::Value runPeakLoops(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
