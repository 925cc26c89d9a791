#include "addon/peak.h"

#include "addon/convert.h"
#include "addon/guard.h"
#include "runtime/cpu/peak.h"

namespace crossmap::addon {

Napi::Value multiplyAdds(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto dtype = fromValue<DType>(info[0], {"peak: dtype"});
    return toValue(info.Env(), cpu::multiplyAddsFor(Environment::of(info.Env()).cpu(), dtype));
  });
}

Napi::Value runPeakLoops(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto form = fromValue<cpu::MultiplyAdd>(info[0], {"peak: multiply-add"});
    return toValue(info.Env(), cpu::runPeakLoops(Environment::of(info.Env()).cpu(), form));
  });
}

}  // namespace crossmap::addon
