#pragma once
#include <optional>
#include <string>
#include <tuple>

#include "runtime/fields.h"

namespace crossmap::cuda {

// What this build can do with the CUDA of this machine, for `crossmap info` and for messages.
struct CudaInfo {
  std::string reason;               // why it cannot be used; empty where it can
  std::string architectures;        // that kernels are compiled for: `80 86 89 90a`
  std::string driverVersion;        // of CUDA, `13.0`; empty where there is no driver
  std::string runtimeVersion;       // of this build
  std::string cublasLt;             // the library's name; empty where the system has none
  std::optional<std::string> name;  // of the GPU; like all below, nothing where none can be used
  std::optional<std::string> capability;
  std::optional<int> multiprocessors;
  std::optional<int64_t> totalBytes;
  std::optional<int64_t> freeBytes;

  static constexpr auto fields() {
    return std::tuple(
        field("reason", &CudaInfo::reason), field("architectures", &CudaInfo::architectures),
        field("driverVersion", &CudaInfo::driverVersion), field("runtimeVersion", &CudaInfo::runtimeVersion),
        field("cublasLt", &CudaInfo::cublasLt), field("name", &CudaInfo::name),
        field("capability", &CudaInfo::capability), field("multiprocessors", &CudaInfo::multiprocessors),
        field("totalBytes", &CudaInfo::totalBytes), field("freeBytes", &CudaInfo::freeBytes));
  }
};

CudaInfo cudaInfo();

}  // namespace crossmap::cuda
