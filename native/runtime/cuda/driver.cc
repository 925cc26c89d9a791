#include "runtime/cuda/driver.h"

#include "runtime/cuda/shared-library.h"

namespace crossmap::cuda {

namespace {

// Of the driver's interface, whose header only says what its library has.
using Result = int;
constexpr Result kSuccess = 0;
constexpr Result kNoDevice = 100;
using GetVersion = Result(int* version);
using Initialize = Result(unsigned flags);
using GetCount = Result(int* count);
using GetErrorText = Result(Result error, const char** text);

// Minor versions of CUDA fit each other, major ones do not.
constexpr int kMajor = 1000;

std::string errorText(const SharedLibrary& driver, Result error) {
  const char* text = nullptr;
  GetErrorText* getText = nullptr;
  if (driver.look("cuGetErrorString", getText) && getText(error, &text) == kSuccess && text) return text;
  return "error " + std::to_string(error);
}

}  // namespace

std::string versionText(int version) {
  return std::to_string(version / kMajor) + "." + std::to_string(version % kMajor / 10);
}

DriverState findDriver(int needed) {
  const auto driver = SharedLibrary::find("libcuda.so.1");
  if (!driver)
    return {0, "there is no NVIDIA driver: libcuda.so.1 cannot be loaded (" + driver.reason() + ")"};
  GetVersion* getVersion = nullptr;
  Initialize* initialize = nullptr;
  GetCount* getCount = nullptr;
  if (!driver.look("cuDriverGetVersion", getVersion) || !driver.look("cuInit", initialize) ||
      !driver.look("cuDeviceGetCount", getCount))
    return {0, "libcuda.so.1 is no NVIDIA driver: functions are missing"};
  int version = 0;
  if (const Result error = getVersion(&version); error != kSuccess)
    return {0, "the NVIDIA driver does not tell its version: " + errorText(driver, error)};
  if (version / kMajor < needed / kMajor)
    return {version, "the NVIDIA driver is too old: it runs CUDA " + versionText(version) +
                         ", and this build needs " + std::to_string(needed / kMajor) + ".0 or later"};
  const Result begun = initialize(0);
  int count = 0;
  if (begun == kNoDevice || (begun == kSuccess && getCount(&count) == kSuccess && count == 0))
    return {version, "the NVIDIA driver finds no GPU"};
  if (begun != kSuccess) return {version, "the NVIDIA driver does not start: " + errorText(driver, begun)};
  return {version, ""};
}

}  // namespace crossmap::cuda
