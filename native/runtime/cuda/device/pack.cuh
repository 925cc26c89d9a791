#pragma once
// Several neighbouring elements in one access of global or shared memory.
#include <cstdint>

#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// `count` elements that are read and written at once; count * sizeof(E) is 1, 2, 4, 8 or 16, and the address
// a multiple of it.
template <typename E, int count>
struct alignas(sizeof(E) * count) Pack {
  E values[count];
};

// Elements in the widest access, 16 bytes.
template <typename E>
inline constexpr int kPackWidth = 16 / static_cast<int>(sizeof(E));

// The raw registers of an access of so many bytes.
template <int bytes>
struct PackBits;
template <>
struct PackBits<16> {
  using Type = uint4;
};
template <>
struct PackBits<8> {
  using Type = uint2;
};
template <>
struct PackBits<4> {
  using Type = uint32_t;
};
template <>
struct PackBits<2> {
  using Type = uint16_t;
};
template <>
struct PackBits<1> {
  using Type = uint8_t;
};

template <int count, typename E>
__device__ inline Pack<E, count> loadPack(const E* from) {
#ifdef CROSSMAP_SIMT
  return simt::loadWide<Pack<E, count>>(from);
#else
  using Bits = typename PackBits<sizeof(E) * count>::Type;
  const Bits bits = *reinterpret_cast<const Bits*>(from);
  return *reinterpret_cast<const Pack<E, count>*>(&bits);
#endif
}

template <int count, typename E>
__device__ inline void storePack(E* to, const Pack<E, count>& pack) {
#ifdef CROSSMAP_SIMT
  simt::storeWide(to, pack);
#else
  using Bits = typename PackBits<sizeof(E) * count>::Type;
  *reinterpret_cast<Bits*>(to) = *reinterpret_cast<const Bits*>(&pack);
#endif
}

}  // namespace crossmap::cuda
