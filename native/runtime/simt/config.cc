#include "runtime/simt/config.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "runtime/simt/block.h"

namespace simt {

namespace {

void apply(Config& config, std::string_view name, int64_t value) {
  if (name == "check")
    config.check = value != 0;
  else if (name == "profile")
    config.profile = value != 0;
  else if (name == "seed")
    config.seed = static_cast<uint64_t>(value);
  else if (name == "workers")
    config.workers = static_cast<int>(std::clamp<int64_t>(value, 1, 64));
  else if (name == "memory")
    config.memoryBytes = value;
  else if (name == "shared")
    config.sharedBytes = std::clamp<int64_t>(value, 48 << 10, kArenaBytes - kSharedBase);
  else if (name == "multiprocessors")
    config.multiprocessors = static_cast<int>(std::clamp<int64_t>(value, 1, 1 << 20));
  else if (name == "blocks")
    config.blocks = std::max<int64_t>(value, 0);
  else
    std::fprintf(
        stderr,
        "CROSSMAP_SIMT: %.*s is not an option; they are check, profile, seed, workers, memory, shared, "
        "multiprocessors, blocks\n",
        static_cast<int>(name.size()), name.data());
}

Config fromEnvironment() {
  Config config;
  // Half of the cores: test files run side by side, and the host has work too.
  config.workers = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
  const char* text = std::getenv("CROSSMAP_SIMT");
  std::string_view rest = text ? text : "";
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const size_t equals = part.find('=');
    int64_t value = 1;
    if (equals != part.npos) std::from_chars(part.data() + equals + 1, part.data() + part.size(), value);
    apply(config, part.substr(0, equals), value);
  }
  return config;
}

}  // namespace

Config& config() {
  static Config instance = fromEnvironment();
  return instance;
}

}  // namespace simt
