// Prints what findDriver says to a build of CUDA 13.0.
#include <iostream>

#include "runtime/cuda/driver.h"

int main() {
  const auto [version, reason] = crossmap::cuda::findDriver(13000);
  std::cout << version << "\n" << reason << "\n";
}
