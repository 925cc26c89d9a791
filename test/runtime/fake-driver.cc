// Stands in for the NVIDIA driver's library: answers as the environment says.
#include <cstdlib>

namespace {

int number(const char* name) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : 0;
}

}  // namespace

extern "C" {
int cuDriverGetVersion(int* version) {
  *version = number("FAKE_VERSION");
  return 0;
}
int cuInit(unsigned) { return number("FAKE_INIT"); }
int cuDeviceGetCount(int* count) {
  *count = number("FAKE_COUNT");
  return 0;
}
int cuGetErrorString(int error, const char** text) {
  if (error != 803) return 1;
  *text = "system has unsupported display driver / cuda driver combination";
  return 0;
}
}
