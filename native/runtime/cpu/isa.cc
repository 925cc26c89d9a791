#include "runtime/cpu/isa.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "runtime/error.h"

namespace crossmap::cpu {

namespace {

#if defined(__x86_64__)

#if defined(__linux__)
// What of a thread's state the system saves.
__attribute__((target("xsave"))) uint64_t savedState() { return _xgetbv(0); }
#endif

// Linux gives a thread the memory for its tiles at the first use, if its process has asked for permission:
// that holds for all threads, those that run already too. A kernel before 5.16, or an emulated one, refuses.
bool mayUseTiles() {
#if defined(__linux__)
  constexpr unsigned kOsXsave = 1u << 27, kBfloat16 = 1u << 22, kTiles = 1u << 24;
  constexpr unsigned kTileState = 3u << 17;  // configuration and data
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & kOsXsave)) return false;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(edx & kBfloat16) || !(edx & kTiles)) return false;
  return (savedState() & kTileState) == kTileState &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

#endif

// The best set up to `most`: permission for tiles makes the frames of signals larger, so who wants none asks
// for none.
Isa bestIsa([[maybe_unused]] Isa most) {
#if defined(__x86_64__)
  if (most >= Isa::avx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return most == Isa::amx && mayUseTiles() ? Isa::amx : Isa::avx512;
  if (most >= Isa::avx2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::baseline;
}

}  // namespace

Isa chooseIsa() {
  const char* wanted = std::getenv("CROSSMAP_ISA");
  if (!wanted || !*wanted) return bestIsa(Isa::amx);
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512, Isa::amx})
    if (nameOf(isa) == wanted) return bestIsa(isa);
  throw Error(
      ErrorCode::argument,
      std::string("the environment variable CROSSMAP_ISA must be baseline, avx2, avx512 or amx; got ") +
          wanted);
}

bool usesTiles() {
  static const bool uses = chooseIsa() == Isa::amx;
  return uses;
}

bool gainsByPairDots() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_is("amd");
#else
  return false;
#endif
}

}  // namespace crossmap::cpu
