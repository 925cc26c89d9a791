#include "addon/simt.h"

#include "addon/convert.h"
#include "addon/guard.h"
#include "runtime/expect.h"
#include "runtime/simt/config.h"
#include "runtime/simt/counters.h"
#include "runtime/simt/left-out.h"
#include "runtime/simt/stream.h"

namespace crossmap::addon {

namespace {

struct Products {
  int64_t bfloat16;
  int64_t float16;
  int64_t tf32;

  static constexpr auto fields() {
    return std::tuple(field("bfloat16", &Products::bfloat16), field("float16", &Products::float16),
                      field("tf32", &Products::tf32));
  }
};

struct Counters {
  std::string kernel;
  int64_t launches;
  int64_t blocks;
  int64_t blocksLeftOut;
  int64_t threads;
  int64_t sharedBytes;
  int64_t globalSectors;
  int64_t globalBytes;
  int64_t sharedWavefronts;
  int64_t idealSharedWavefronts;
  Products products;
  int64_t fmas;
  int64_t specialFunctions;
  int64_t barriers;

  static constexpr auto fields() {
    return std::tuple(
        field("kernel", &Counters::kernel), field("launches", &Counters::launches),
        field("blocks", &Counters::blocks), field("blocksLeftOut", &Counters::blocksLeftOut),
        field("threads", &Counters::threads), field("sharedBytes", &Counters::sharedBytes),
        field("globalSectors", &Counters::globalSectors), field("globalBytes", &Counters::globalBytes),
        field("sharedWavefronts", &Counters::sharedWavefronts),
        field("idealSharedWavefronts", &Counters::idealSharedWavefronts),
        field("products", &Counters::products), field("fmas", &Counters::fmas),
        field("specialFunctions", &Counters::specialFunctions), field("barriers", &Counters::barriers));
  }
};

struct Launch {
  int64_t entry;
  int64_t threads;
  int64_t sharedBytes;

  static constexpr auto fields() {
    return std::tuple(field("entry", &Launch::entry), field("threads", &Launch::threads),
                      field("sharedBytes", &Launch::sharedBytes));
  }
};

Counters countersOf(const simt::KernelCounters& from) {
  return {from.kernel,
          from.launches,
          from.blocks,
          from.blocksLeftOut,
          from.threads,
          from.sharedBytes,
          from.globalSectors,
          from.globalBytes,
          from.sharedWavefronts,
          from.idealSharedWavefronts,
          {from.bfloat16Products, from.float16Products, from.tf32Products},
          from.fmas,
          from.specialFunctions,
          from.barriers};
}

}  // namespace

Napi::Value simtProfile(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    simt::countKernels(fromValue<bool>(info[0], {"simtProfile: on"}));
    return info.Env().Undefined();
  });
}

Napi::Value simtCounters(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    std::vector<Counters> counters;
    for (const simt::KernelCounters& each : simt::kernelCounters()) counters.push_back(countersOf(each));
    return toValue(info.Env(), counters);
  });
}

Napi::Value simtLaunchShapes(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    std::vector<Launch> launches;
    for (const auto& [entry, threads, sharedBytes] : simt::kernelLaunches())
      launches.push_back({entry, threads, sharedBytes});
    return toValue(info.Env(), launches);
  });
}

Napi::Value simtSeed(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto seed = fromValue<int64_t>(info[0], {"simtSeed: seed"});
    Expect("simtSeed").notNegative("seed", static_cast<double>(seed));
    simt::config().seed = static_cast<uint64_t>(seed);
    return info.Env().Undefined();
  });
}

Napi::Value simtLeaveOutLaunches(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto begin = fromValue<int64_t>(info[0], {"simtLeaveOutLaunches: begin"});
    const auto end = fromValue<int64_t>(info[1], {"simtLeaveOutLaunches: end"});
    simt::synchronizeAll();
    return toValue(info.Env(), simt::leaveOutLaunches(begin, end));
  });
}

Napi::Value simtBlocks(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto blocks = fromValue<int64_t>(info[0], {"simtBlocks: blocks"});
    Expect("simtBlocks").notNegative("blocks", static_cast<double>(blocks));
    simt::config().blocks = blocks;
    return info.Env().Undefined();
  });
}

}  // namespace crossmap::addon
