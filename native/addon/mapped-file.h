#pragma once
#include <napi.h>

namespace crossmap::addon {

// mapFile(path: string): Uint8Array. The file's bytes as memory, read from the disk when touched. They must
// not be written to. Throws ERR_IO.
Napi::Value mapFile(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
