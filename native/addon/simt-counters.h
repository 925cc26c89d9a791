#pragma once
#include <napi.h>

namespace crossmap::addon {

// simtProfile(on: boolean): whether kernels count what they do; turning it on starts from nothing.
Napi::Value simtProfile(const Napi::CallbackInfo& info);

// simtCounters(): what each kernel did since then, by name. Waits for those that were launched.
Napi::Value simtCounters(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
