#pragma once
#include <string>

namespace crossmap::cuda {

// What the system's NVIDIA driver can do for this build.
struct DriverState {
  int version;         // as CUDA counts: 13000 for 13.0; 0 where there is no driver
  std::string reason;  // why CUDA cannot be used; empty where it can
};

// Looks without the CUDA runtime, whose one error does not tell no driver from one that is too old or has no
// GPU.
//
// `needed` is the version of the CUDA runtime of this build.
DriverState findDriver(int needed);

// `13.0` for 13000.
std::string versionText(int version);

}  // namespace crossmap::cuda
