#include "runtime/cpu/peak.h"

#include <string>

#include "runtime/cpu/cpu-device.h"
#include "runtime/error.h"

namespace crossmap::cpu {

namespace {

// Several for each thread, so that one which is held up leaves work to the others.
constexpr int64_t kLoopsPerThread = 16;

// Not known to the compiler of the loops, or it could do their work itself. A bfloat16 with all kinds of
// bits; sums of such products stay finite.
constexpr float kFactor = 0.8359375f;

PeakLoop loopOf(const Device& cpu, MultiplyAdd form) {
  return onIsa(cpuOf(cpu).isa(), [&]<Isa isa> { return peakLoop<isa>(form); });
}

}  // namespace

std::vector<MultiplyAdd> multiplyAddsFor(const Device& cpu, DType dtype) {
  if (!isFloat(dtype))
    throw Error(ErrorCode::dtype,
                "peak: dtype must be float32, bfloat16 or float16; got " + std::string(nameOf(dtype)));
  std::vector<MultiplyAdd> forms{MultiplyAdd::singles};
  if (dtype == DType::bfloat16)
    for (const MultiplyAdd form : {MultiplyAdd::pairs, MultiplyAdd::tiles})
      if (loopOf(cpu, form).run) forms.push_back(form);
  return forms;
}

double runPeakLoops(const Device& cpu, MultiplyAdd form) {
  const PeakLoop loop = loopOf(cpu, form);
  if (!loop.run) throw Error(ErrorCode::argument, "peak: this process has no " + std::string(nameOf(form)));
  const int64_t loops = kLoopsPerThread * cpuOf(cpu).threads();
  enqueue(cpu, "peak", [=](Context& context) {
    context.pool.parallelFor(loops, 1, [&](int64_t begin, int64_t end) {
      for (int64_t each = begin; each < end; each++) loop.run(kFactor);
    });
  });
  return static_cast<double>(loops) * loop.flops;
}

}  // namespace crossmap::cpu
