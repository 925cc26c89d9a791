#pragma once
// Cases of simt-test: each launches kernels and keeps what they computed.
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/simt/language.h"

namespace crossmap::cuda::test {

struct Context {
  std::vector<uint32_t> input;  // words of the standard input
  std::vector<uint32_t> output;
  std::vector<std::string> options;  // behind the name of the case

  bool has(const std::string& option) const;
  int64_t number(const std::string& option, int64_t otherwise) const;  // "rows=3"
};

using Run = void (*)(Context&);

// A case of that name, declared at the namespace's level.
struct Case {
  Case(const char* name, Run run);
  const char* name;
  Run run;
  const Case* next;
};

// A twin: the first template argument says whether the mistake is made.
#define SIMT_TWINS(name, function)                             \
  const Case function##Broken{name "/broken", function<true>}; \
  const Case function##Correct{name "/correct", function<false>};

// An array on the device.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t count) : count_(count) {
    void* memory = nullptr;
    cudaMalloc(&memory, count * sizeof(T));
    memory_ = static_cast<T*>(memory);
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    cudaMemcpyAsync(memory_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice, nullptr);
    cudaStreamSynchronize(nullptr);
  }
  ~DeviceArray() { cudaFree(memory_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* get() const { return memory_; }
  std::vector<T> values() const {
    std::vector<T> result(count_);
    cudaMemcpyAsync(result.data(), memory_, count_ * sizeof(T), cudaMemcpyDeviceToHost, nullptr);
    cudaStreamSynchronize(nullptr);
    return result;
  }

 private:
  size_t count_;
  T* memory_ = nullptr;
};

// 0, 1, 2 ...
std::vector<float> counting(size_t count);
void append(Context& context, const std::vector<float>& values);  // their bits
void append(Context& context, const std::vector<uint32_t>& values);

}  // namespace crossmap::cuda::test
