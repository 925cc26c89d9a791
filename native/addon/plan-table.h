#pragma once
#include <napi.h>

namespace crossmap::addon {

// plans(): how each op that has several kernels, or kernels of several shapes, would be computed on the GPU
// of this machine, or of the emulator. Empty in a build without CUDA and where there is no GPU.
Napi::Value plans(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
