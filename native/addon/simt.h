#pragma once
#include <napi.h>

namespace crossmap::addon {

// simtProfile(on: boolean): whether kernels count what they do; turning it on starts from nothing.
Napi::Value simtProfile(const Napi::CallbackInfo& info);

// simtCounters(): what each kernel did since then, by name. Waits for those that were launched.
Napi::Value simtCounters(const Napi::CallbackInfo& info);

// simtLaunchShapes(): in which shapes each kernel was launched since then. Waits for them.
Napi::Value simtLaunchShapes(const Napi::CallbackInfo& info);

// simtSeed(seed: number): the order of threads, blocks, streams and asynchronous copies from now on; 0 is
// none. For when nothing is enqueued.
Napi::Value simtSeed(const Napi::CallbackInfo& info);

// simtLeaveOutLaunches(begin: number, end: number): number. Waits for what was launched; of the launches from
// then on those from number `begin` to `end`, left out, are not executed. Gives how many there were since the
// last call.
Napi::Value simtLeaveOutLaunches(const Napi::CallbackInfo& info);

// simtBlocks(blocks: number): of launches from now on, and of memory that is allocated from now on, see
// Config::blocks; 0 executes all. For when nothing is enqueued.
Napi::Value simtBlocks(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
