#pragma once
#include <array>
#include <string_view>

namespace crossmap::cpu {

// Instruction sets that kernels are compiled for. Each file of kernels is compiled once for each, and its
// functions are templates over the set, explicitly instantiated for the one at hand:
//   template void rmsNorm<kIsa>(...);
enum class Isa {
  baseline,  // SSE2 on x86-64, NEON on arm64
  avx2,      // AVX2, FMA, F16C
  avx512,    // AVX-512 F, BW, DQ, VL
  amx,       // the kernels of avx512, with matrix products of bfloat16 on AMX tiles
};

constexpr auto enumNames(Isa) {
  using namespace std::string_view_literals;
  return std::array{"baseline"sv, "avx2"sv, "avx512"sv, "amx"sv};
}

constexpr std::string_view nameOf(Isa isa) { return enumNames(isa)[static_cast<size_t>(isa)]; }

#if defined(CROSSMAP_ISA)  // set by the build for the files of kernels alone
inline constexpr Isa kIsa = Isa::CROSSMAP_ISA;
#endif

// The best set that processor and system allow, or the one that the environment variable CROSSMAP_ISA names
// if it is a lesser one: for tests. Throws ERR_ARGUMENT for a name that is none.
Isa chooseIsa();

// Whether the choice of this process, made once, is amx.
bool usesTiles();

// Whether VDPBF16PS does more than FMA on float32 does. It has twice its operations on processors of AMD, and
// half of them on those of Intel, where bfloat16 is better widened.
bool gainsByPairDots();

// Calls f.operator()<isa>().
template <typename F>
decltype(auto) onIsa(Isa isa, F&& f) {
#if defined(__x86_64__)
  if (isa >= Isa::avx512) return f.template operator()<Isa::avx512>();
  if (isa == Isa::avx2) return f.template operator()<Isa::avx2>();
#endif
  (void)isa;
  return f.template operator()<Isa::baseline>();
}

}  // namespace crossmap::cpu
