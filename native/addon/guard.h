#pragma once
#include <napi.h>

#include <new>

#include "addon/environment.h"

namespace crossmap::addon {

// The one place where a C++ exception becomes a JavaScript error. Every exported function runs inside.
template <typename F>
Napi::Value guarded(const Napi::CallbackInfo& info, F&& work) {
  const Napi::Env env = info.Env();
  try {
    Napi::Value result = work();
    Environment::of(env).reportMemory();
    return result;
  } catch (const Napi::Error&) {
    throw;
  } catch (const Error& error) {
    throw toJavaScript(env, error);
  } catch (const std::bad_alloc&) {
    throw toJavaScript(env, Error(ErrorCode::outOfMemory, "the process has no memory left"));
  } catch (const std::exception& error) {
    throw toJavaScript(env, Error(ErrorCode::internal, error.what()));
  }
}

}  // namespace crossmap::addon
