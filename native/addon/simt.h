#pragma once
#include <napi.h>

namespace crossmap::addon {

// simtProfile(on: boolean): whether kernels count what they do; turning it on starts from nothing.
Napi::Value simtProfile(const Napi::CallbackInfo& info);

// simtCounters(): what each kernel did since then, by name. Waits for those that were launched.
Napi::Value simtCounters(const Napi::CallbackInfo& info);

// simtLaunches(): in which shapes each kernel was launched since then. Waits for them.
Napi::Value simtLaunches(const Napi::CallbackInfo& info);

// simtSeed(seed: number): the order of threads, blocks, streams and asynchronous copies from now on; 0 is
// none. For when nothing is enqueued.
Napi::Value simtSeed(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
