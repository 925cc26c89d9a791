// What the compiler calls for each access of a kernel. Kernels are compiled for ThreadSanitizer, whose
// library is not linked: these functions stand in its place.
#include <cstdio>
#include <cstring>

#include "runtime/simt/access.h"

namespace simt {

namespace {

template <size_t bytes>
inline void accessAligned(const void* address, Did did, const void* instruction) {
  if (reinterpret_cast<uintptr_t>(address) & (bytes - 1)) {
    if (currentBlock && currentBlock->checks) {
      char text[96];
      std::snprintf(text, sizeof text, "%zu-byte %s at %p, which is no multiple of %zu", bytes, wordOf(did),
                    address, bytes);
      refuse(currentThread(), "misaligned access", instruction, text);
    }
  }
  access(address, bytes, did, instruction);
}

}  // namespace

}  // namespace simt

using simt::Did;

#define HERE __builtin_return_address(0)
#define ACCESSES(bytes)                                                                             \
  void __tsan_read##bytes(void* p) { simt::accessAligned<bytes>(p, Did::read, HERE); }              \
  void __tsan_write##bytes(void* p) { simt::accessAligned<bytes>(p, Did::write, HERE); }            \
  void __tsan_unaligned_read##bytes(void* p) { simt::access(p, bytes, Did::read, HERE); }           \
  void __tsan_unaligned_write##bytes(void* p) { simt::access(p, bytes, Did::write, HERE); }         \
  void __tsan_volatile_read##bytes(void* p) { simt::accessAligned<bytes>(p, Did::read, HERE); }     \
  void __tsan_volatile_write##bytes(void* p) { simt::accessAligned<bytes>(p, Did::write, HERE); }   \
  void __tsan_read##bytes##_pc(void* p, void* at) { simt::accessAligned<bytes>(p, Did::read, at); } \
  void __tsan_write##bytes##_pc(void* p, void* at) { simt::accessAligned<bytes>(p, Did::write, at); }

#define ATOMICS(bits, Type)                                                                                 \
  Type __tsan_atomic##bits##_load(const volatile Type* p, int) {                                            \
    simt::access(const_cast<const Type*>(p), sizeof(Type), Did::atomic, HERE);                              \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                            \
  }                                                                                                         \
  void __tsan_atomic##bits##_store(volatile Type* p, Type value, int) {                                     \
    simt::access(const_cast<const Type*>(p), sizeof(Type), Did::atomic, HERE);                              \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                                           \
  }                                                                                                         \
  Type __tsan_atomic##bits##_exchange(volatile Type* p, Type value, int) {                                  \
    simt::access(const_cast<const Type*>(p), sizeof(Type), Did::atomic, HERE);                              \
    return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);                                                 \
  }                                                                                                         \
  Type __tsan_atomic##bits##_fetch_add(volatile Type* p, Type value, int) {                                 \
    simt::access(const_cast<const Type*>(p), sizeof(Type), Did::atomic, HERE);                              \
    return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);                                                  \
  }                                                                                                         \
  Type __tsan_atomic##bits##_fetch_or(volatile Type* p, Type value, int) {                                  \
    simt::access(const_cast<const Type*>(p), sizeof(Type), Did::atomic, HERE);                              \
    return __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST);                                                   \
  }                                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile Type* p, Type* expected, Type value, int,      \
                                                    int) {                                                  \
    simt::access(const_cast<const Type*>(p), sizeof(Type), Did::atomic, HERE);                              \
    return __atomic_compare_exchange_n(p, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);      \
  }                                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile Type* p, Type* expected, Type value, int, int) { \
    simt::access(const_cast<const Type*>(p), sizeof(Type), Did::atomic, HERE);                              \
    return __atomic_compare_exchange_n(p, expected, value, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
  }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void* p, unsigned long bytes) { simt::access(p, bytes, Did::read, HERE); }
void __tsan_write_range(void* p, unsigned long bytes) { simt::access(p, bytes, Did::write, HERE); }

void* __tsan_memcpy(void* to, const void* from, unsigned long bytes) {
  simt::access(from, bytes, Did::read, HERE);
  simt::access(to, bytes, Did::write, HERE);
  return std::memcpy(to, from, bytes);
}

void* __tsan_memmove(void* to, const void* from, unsigned long bytes) {
  simt::access(from, bytes, Did::read, HERE);
  simt::access(to, bytes, Did::write, HERE);
  return std::memmove(to, from, bytes);
}

void* __tsan_memset(void* to, int value, unsigned long bytes) {
  simt::access(to, bytes, Did::write, HERE);
  return std::memset(to, value, bytes);
}

ATOMICS(32, unsigned)
ATOMICS(64, unsigned long)

void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
}
