#include "addon/op-table.h"

#include <array>
#include <utility>

#include "addon/call-record.h"
#include "addon/convert.h"
#include "addon/guard.h"
#include "ops/adamw/adamw.h"
#include "ops/attention/attention.h"
#include "ops/cast/cast.h"
#include "ops/contrastive/contrastive.h"
#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding.h"
#include "ops/global-norm/global-norm.h"
#include "ops/linear-cross-entropy/linear-cross-entropy.h"
#include "ops/matmul/matmul.h"
#include "ops/pool/pool.h"
#include "ops/random/random.h"
#include "ops/reduce/reduce.h"
#include "ops/rms-norm/rms-norm.h"
#include "ops/rotary/rotary.h"
#include "ops/softmax/softmax.h"
#include "ops/swiglu/swiglu.h"

namespace crossmap::addon {

namespace {

struct Op {
  const char* name;
  Napi::Value (*call)(const Napi::CallbackInfo& info, const char* name);
};

// An op as JavaScript calls it: arguments by position, converted as the C++ signature says.
template <auto function>
struct Call;

template <typename Result, typename... Arguments, Result (*function)(Arguments...)>
struct Call<function> {
  static Napi::Value call(const Napi::CallbackInfo& info, const char* name) {
    return guarded(info, [&] { return convertAndCall(info, name, std::index_sequence_for<Arguments...>{}); });
  }

 private:
  template <size_t... indices>
  static Napi::Value convertAndCall(const Napi::CallbackInfo& info, const char* name,
                                    std::index_sequence<indices...>) {
    CallRecord record(Environment::of(info.Env()).profile(), name);
    // Braces: arguments are converted, and refused, from left to right.
    std::tuple<std::remove_cvref_t<Arguments>...> arguments{
        fromValue<std::remove_cvref_t<Arguments>>(info[indices], argument(name, indices))...};
    record.inputs(arguments);
    if constexpr (std::is_void_v<Result>) {
      std::apply(function, arguments);
      return info.Env().Undefined();
    } else {
      const Result result = std::apply(function, arguments);
      record.outputs(result);
      return toValue(info.Env(), result);
    }
  }

  static Where argument(const char* name, size_t index) {
    return {std::string(name) + ": argument " + std::to_string(index + 1)};
  }
};

template <auto function>
constexpr Op op(const char* name) {
  return {name, Call<function>::call};
}

// The op table: one line for each function, by name.
constexpr std::array kOps{
    op<accumulate>("accumulate"),
    op<adamw>("adamw"),
    op<attention>("attention"),
    op<attentionBackward>("attentionBackward"),
    op<binary>("binary"),
    op<binaryBackward>("binaryBackward"),
    op<cast>("cast"),
    op<clipScale>("clipScale"),
    op<contrastive>("contrastive"),
    op<contrastiveBackward>("contrastiveBackward"),
    op<embedding>("embedding"),
    op<embeddingBackward>("embeddingBackward"),
    op<fill>("fill"),
    op<globalNorm>("globalNorm"),
    op<linear>("linear"),
    op<linearCrossEntropy>("linearCrossEntropy"),
    op<linearCrossEntropyBackward>("linearCrossEntropyBackward"),
    op<matmul>("matmul"),
    op<pool>("pool"),
    op<poolBackward>("poolBackward"),
    op<randomNormal>("normal"),
    op<randomUniform>("uniform"),
    op<reduce>("reduce"),
    op<reduceBackward>("reduceBackward"),
    op<reduceMax>("reduceMax"),
    op<reduceMaxBackward>("reduceMaxBackward"),
    op<rmsNorm>("rmsNorm"),
    op<rmsNormBackward>("rmsNormBackward"),
    op<rmsNormResidual>("rmsNormResidual"),
    op<rotary>("rotary"),
    op<rotaryBackward>("rotaryBackward"),
    op<softmax>("softmax"),
    op<softmaxBackward>("softmaxBackward"),
    op<swiglu>("swiglu"),
    op<swigluBackward>("swigluBackward"),
    op<unary>("unary"),
    op<unaryBackward>("unaryBackward"),
};

}  // namespace

void exportOps(Napi::Env env, Napi::Object exports) {
  for (const Op& each : kOps)
    exports.Set(
        each.name,
        Napi::Function::New(
            env, [&each](const Napi::CallbackInfo& info) { return each.call(info, each.name); }, each.name));
}

}  // namespace crossmap::addon
