#pragma once
#include <string_view>

namespace crossmap::cuda {

// Whether code for `architectures` (as nvcc names them: `80 90a`), or the PTX of `ptx`, runs on a GPU of this
// capability, 86 for 8.6: code of the same major version and no higher minor one, code for one GPU alone
// (90a) on that, and PTX on any GPU that is no older.
constexpr bool runsOn(int capability, std::string_view architectures, int ptx) {
  if (ptx <= capability) return true;
  int number = 0;
  bool isForOne = false;
  const auto fits = [&] {
    return number == capability || (!isForOne && number / 10 == capability / 10 && number <= capability);
  };
  for (const char each : architectures) {
    if (each == ' ') {
      if (fits()) return true;
      number = 0;
      isForOne = false;
    } else if (each >= '0' && each <= '9') {
      number = number * 10 + (each - '0');
    } else {
      isForOne = true;
    }
  }
  return fits();
}

static_assert(runsOn(80, "80 90a", 120) && runsOn(86, "80 90a", 120) && runsOn(90, "80 90a", 120));
static_assert(!runsOn(75, "80 90a", 120) && !runsOn(100, "80 90a", 120) && !runsOn(91, "80 90a", 120));
static_assert(!runsOn(80, "86", 120) && runsOn(121, "80", 120) && runsOn(130, "80", 120) &&
              !runsOn(110, "80", 120));

}  // namespace crossmap::cuda
