#pragma once
#include <napi.h>

namespace crossmap::addon {

// Exports every op under its name.
void exportOps(Napi::Env env, Napi::Object exports);

}  // namespace crossmap::addon
