#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "runtime/cpu/isa.h"
#include "runtime/device.h"
#include "runtime/dtype.h"

namespace crossmap::cpu {

// How the processor multiplies and adds. The fastest loop of one that fits a dtype is the peak to which
// kernels of many products answer.
enum class MultiplyAdd {
  singles,  // FMA, or a product and a sum where there is none
  pairs,    // VDPBF16PS: pairs of bfloat16 into float32
  tiles,    // TDPBF16PS: the same on AMX tiles
};

constexpr auto enumNames(MultiplyAdd) {
  using namespace std::string_view_literals;
  return std::array{"float32 multiply-adds"sv, "VDPBF16PS"sv, "TDPBF16PS"sv};
}

constexpr std::string_view nameOf(MultiplyAdd form) { return enumNames(form)[static_cast<size_t>(form)]; }

// Multiply-adds of one thread in registers: what they give is of no use.
struct PeakLoop {
  double flops = 0;
  float (*run)(float factor) = nullptr;  // null where the processor has no such instruction
};

template <Isa isa>
PeakLoop peakLoop(MultiplyAdd form);

// Of pairs and tiles.
template <Isa isa>
PeakLoop bfloat16PeakLoop(MultiplyAdd form);

// What kernels may multiply elements of `dtype` by on this device: those without an instruction of their own
// are made float32. Throws ERR_DTYPE for whole numbers.
std::vector<MultiplyAdd> multiplyAddsFor(const Device& cpu, DType dtype);

// Enqueues loops that keep all threads of the device busy for some milliseconds, and gives their
// floating-point operations. Throws ERR_ARGUMENT where the processor has no such instruction.
double runPeakLoops(const Device& cpu, MultiplyAdd form);

}  // namespace crossmap::cpu
