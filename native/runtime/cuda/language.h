#pragma once
// The CUDA language and its runtime library: nvcc's own, or the emulator's under the same names.
#ifdef CROSSMAP_SIMT
#include "runtime/simt/language.h"
#else
#include <cuda_runtime.h>
#endif
