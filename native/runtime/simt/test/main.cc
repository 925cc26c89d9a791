// simt-test CASE [OPTION...]: runs one case and prints one line of JSON. Without a case it prints the names.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>

#include "runtime/simt/global-memory.h"
#include "runtime/simt/profile.h"
#include "runtime/simt/report.h"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

const Case*& firstCase() {
  static const Case* first = nullptr;
  return first;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

template <typename T, typename Print>
std::string list(const std::vector<T>& values, Print&& print) {
  std::string result = "[";
  for (const T& each : values) result += (result.size() > 1 ? "," : "") + print(each);
  return result + "]";
}

std::string print(const simt::Report& report) {
  return "{\"kind\":" + quoted(report.kind) + ",\"kernel\":" + quoted(report.kernel) +
         ",\"text\":" + quoted(report.text) + "}";
}

std::string print(const simt::NamedCounts& named) {
  const simt::Counts& counts = named.counts;
  const std::pair<const char*, int64_t> fields[] = {{"launches", named.launches},
                                                    {"blocks", counts.blocks},
                                                    {"blocksLeftOut", counts.blocksLeftOut},
                                                    {"threads", counts.threads},
                                                    {"switches", counts.switches},
                                                    {"barriers", counts.barriers},
                                                    {"bfloat16Products", counts.products[0]},
                                                    {"float16Products", counts.products[1]},
                                                    {"tf32Products", counts.products[2]},
                                                    {"matrixLoads", counts.matrixLoads},
                                                    {"shuffles", counts.shuffles},
                                                    {"fmas", counts.fmas},
                                                    {"specialFunctions", counts.specialFunctions},
                                                    {"copiedBytes", counts.copiedBytes},
                                                    {"globalRequests", counts.globalRequests},
                                                    {"globalSectors", counts.globalSectors},
                                                    {"globalBytes", counts.globalBytes},
                                                    {"sharedRequests", counts.sharedRequests},
                                                    {"sharedWavefronts", counts.sharedWavefronts},
                                                    {"idealSharedWavefronts", counts.idealSharedWavefronts}};
  std::string result = "{\"kernel\":" + quoted(named.kernel);
  for (const auto& [name, value] : fields) result += "," + quoted(name) + ":" + std::to_string(value);
  return result + "}";
}

std::vector<uint32_t> readWords() {
  return {std::istream_iterator<uint32_t>(std::cin), std::istream_iterator<uint32_t>()};
}

int runCase(const Case& chosen, Context& context) {
  chosen.run(context);
  const cudaError_t status = cudaDeviceSynchronize();
  const auto print32 = [](uint32_t value) { return std::to_string(value); };
  const std::string text =
      "{\"status\":" + std::to_string(status) + ",\"error\":" + quoted(cudaGetErrorString(status)) +
      ",\"reports\":" + list(simt::reports(), [](const simt::Report& each) { return print(each); }) +
      ",\"counters\":" +
      list(simt::countsByKernel(), [](const simt::NamedCounts& each) { return print(each); }) +
      ",\"leaks\":" +
      list(simt::liveAllocations(), [](const simt::Allocation& each) { return std::to_string(each.bytes); }) +
      ",\"output\":" + list(context.output, print32) + "}";
  std::puts(text.c_str());
  return 0;
}

}  // namespace

Case::Case(const char* name, Run run) : name(name), run(run), next(firstCase()) { firstCase() = this; }

bool Context::has(const std::string& option) const {
  return std::find(options.begin(), options.end(), option) != options.end();
}

int64_t Context::number(const std::string& option, int64_t otherwise) const {
  for (const std::string& each : options) {
    if (each.compare(0, option.size() + 1, option + "=") != 0) continue;
    std::from_chars(each.data() + option.size() + 1, each.data() + each.size(), otherwise);
  }
  return otherwise;
}

std::vector<float> counting(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; i++) values[i] = static_cast<float>(i);
  return values;
}

void append(Context& context, const std::vector<uint32_t>& values) {
  context.output.insert(context.output.end(), values.begin(), values.end());
}

void append(Context& context, const std::vector<float>& values) {
  std::vector<uint32_t> bits(values.size());
  std::memcpy(bits.data(), values.data(), values.size() * sizeof(float));
  append(context, bits);
}

int main(int count, char** arguments) {
  if (count < 2) {
    for (const Case* each = firstCase(); each; each = each->next) std::puts(each->name);
    return 0;
  }
  Context context;
  context.options.assign(arguments + 2, arguments + count);
  if (context.has("input")) context.input = readWords();
  for (const Case* each = firstCase(); each; each = each->next)
    if (std::strcmp(each->name, arguments[1]) == 0) return runCase(*each, context);
  std::fprintf(stderr, "simt-test: there is no case %s\n", arguments[1]);
  return 1;
}

}  // namespace crossmap::cuda::test

int main(int count, char** arguments) { return crossmap::cuda::test::main(count, arguments); }
