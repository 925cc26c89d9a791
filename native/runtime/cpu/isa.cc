#include "runtime/cpu/isa.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "runtime/error.h"

namespace crossmap::cpu {

namespace {

Isa bestIsa() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::baseline;
}

}  // namespace

Isa chooseIsa() {
  const char* wanted = std::getenv("CROSSMAP_ISA");
  const Isa best = bestIsa();
  if (!wanted || !*wanted) return best;
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
    if (nameOf(isa) == wanted) return std::min(isa, best);
  throw Error(ErrorCode::argument,
              std::string("the environment variable CROSSMAP_ISA must be baseline, avx2 or "
                          "avx512; got ") +
                  wanted);
}

}  // namespace crossmap::cpu
