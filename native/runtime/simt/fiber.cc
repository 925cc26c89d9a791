#include "runtime/simt/fiber.h"

#include <sys/mman.h>

#include <new>

#if defined(__x86_64__)
asm(R"(
.text
.globl simtSwitch
.type simtSwitch,@function
simtSwitch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp,(%rdi)
  mov %rsi,%rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size simtSwitch,.-simtSwitch
)");
constexpr int kReturnWord = 6;
constexpr int kStartWords = 8;  // and one word, so that the stack is aligned as after a call
#elif defined(__aarch64__)
asm(R"(
.text
.globl simtSwitch
.type simtSwitch,%function
simtSwitch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x2, sp
  str x2, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size simtSwitch,.-simtSwitch
)");
constexpr int kReturnWord = 11;  // x30
constexpr int kStartWords = 20;
#else
#error "simtSwitch is written for x86-64 and aarch64"
#endif

namespace simt {

char* mapStacks(int count) {
  const size_t bytes = kStackBytes * static_cast<size_t>(count);
  void* memory = mmap(nullptr, bytes + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  char* first = stackAt(static_cast<char*>(memory) + kStackBytes - 1);
  for (int index = 0; index < count; index++)
    mprotect(first + kStackBytes * static_cast<size_t>(index), 4096, PROT_NONE);
  return first;
}

void* startStack(char* top, void (*entry)()) {
  const auto aligned = reinterpret_cast<uintptr_t>(top) & ~uintptr_t{15};
  auto** words = reinterpret_cast<void**>(aligned) - kStartWords;
  for (int index = 0; index < kStartWords; index++) words[index] = nullptr;
  words[kReturnWord] = reinterpret_cast<void*>(entry);
  return words;
}

}  // namespace simt
