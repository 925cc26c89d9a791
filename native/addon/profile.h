#pragma once
#include <napi.h>

namespace crossmap::addon {

// profileStart(limit: number): records from here on; events beyond `limit` that are not taken are dropped.
Napi::Value profileStart(const Napi::CallbackInfo& info);

// profileStop(): number. Ends the spans that are open; what is recorded stays to be taken. Gives the
// microseconds since the start.
Napi::Value profileStop(const Napi::CallbackInfo& info);

// profileTake(): the events so far, once, in the order of their ends; and how many were dropped since the
// start.
Napi::Value profileTake(const Napi::CallbackInfo& info);

// profilePending(): number. Events that wait to be taken.
Napi::Value profilePending(const Napi::CallbackInfo& info);

// profileEnter(name: string): number. Opens a span of the host.
Napi::Value profileEnter(const Napi::CallbackInfo& info);

// profileLeave(span: number): closes it, if it is still open.
Napi::Value profileLeave(const Napi::CallbackInfo& info);

// leaveOutKernels(on: boolean): ops of the CPU device enqueued from here on are taken from its queue and not
// run.
Napi::Value leaveOutKernels(const Napi::CallbackInfo& info);

}  // namespace crossmap::addon
