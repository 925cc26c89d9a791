#include "ops/accumulate/accumulate.h"

#include "ops/accumulate/accumulate-cpu.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/expect.h"

namespace crossmap {

void accumulate(const Tensor& into, const Tensor& from) {
  Expect("accumulate")
      .floating("into", into)
      .floating("from", from)
      .sameShape("from", from, "into", into)
      .sameDevice("from", from, "into", into);
  onDevice(into.device(), [&]<cpu::Isa isa>() { cpu::accumulate<isa>(into, from); });
}

}  // namespace crossmap
