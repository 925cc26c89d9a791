#include "addon/profile.h"

#include "addon/convert.h"
#include "addon/guard.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/profile.h"

namespace crossmap::addon {

namespace {

struct TensorReport {
  DType dtype;
  Shape shape;

  static constexpr auto fields() {
    return std::tuple(field("dtype", &TensorReport::dtype), field("shape", &TensorReport::shape));
  }
};

struct TensorsReport {
  std::vector<TensorReport> listed;
  int64_t count;
  int64_t bytes;

  static constexpr auto fields() {
    return std::tuple(field("listed", &TensorsReport::listed), field("count", &TensorsReport::count),
                      field("bytes", &TensorsReport::bytes));
  }
};

struct CallReport {
  std::string name;
  int64_t number;
  TensorsReport inputs;
  TensorsReport outputs;

  static constexpr auto fields() {
    return std::tuple(field("name", &CallReport::name), field("number", &CallReport::number),
                      field("inputs", &CallReport::inputs), field("outputs", &CallReport::outputs));
  }
};

struct EventReport {
  ProfileKind kind;
  std::string name;
  int thread;
  double beginUs;  // since the start
  double durationUs;
  double coreUs;
  std::string within;
  std::optional<CallReport> call;

  static constexpr auto fields() {
    return std::tuple(field("kind", &EventReport::kind), field("name", &EventReport::name),
                      field("thread", &EventReport::thread), field("beginUs", &EventReport::beginUs),
                      field("durationUs", &EventReport::durationUs), field("coreUs", &EventReport::coreUs),
                      field("within", &EventReport::within), field("call", &EventReport::call));
  }
};

struct TakenReport {
  std::vector<EventReport> events;
  int64_t dropped;

  static constexpr auto fields() {
    return std::tuple(field("events", &TakenReport::events), field("dropped", &TakenReport::dropped));
  }
};

constexpr double kNanosecondsPerUs = 1000;

TensorsReport reportOf(const ProfiledTensors& tensors) {
  TensorsReport report{{}, tensors.count, tensors.bytes};
  for (const auto& [dtype, shape] : tensors.listed) report.listed.push_back({dtype, shape});
  return report;
}

EventReport reportOf(const ProfileEvent& event, int64_t startedAt) {
  EventReport report{event.kind,
                     event.name,
                     event.thread,
                     static_cast<double>(event.begin.wall - startedAt) / kNanosecondsPerUs,
                     static_cast<double>(event.end.wall - event.begin.wall) / kNanosecondsPerUs,
                     static_cast<double>(event.end.core - event.begin.core) / kNanosecondsPerUs,
                     event.within,
                     std::nullopt};
  if (const ProfiledCall* call = event.call.get()) {
    report.within = call->within;
    report.call.emplace(
        CallReport{call->name, call->number, reportOf(call->inputs), reportOf(call->outputs)});
  }
  return report;
}

Profile& profileOf(const Napi::CallbackInfo& info) { return Environment::of(info.Env()).profile(); }

}  // namespace

Napi::Value profileStart(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto limit = fromValue<int64_t>(info[0], {"profile: limit"});
    Expect("profile").positive("limit", static_cast<double>(limit));
    profileOf(info).start(limit);
    return info.Env().Undefined();
  });
}

Napi::Value profileStop(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    Profile& profile = profileOf(info);
    profile.stop();
    return toValue(info.Env(),
                   static_cast<double>(Profile::now().wall - profile.startedAt()) / kNanosecondsPerUs);
  });
}

Napi::Value profileTake(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    Profile& profile = profileOf(info);
    const Profile::Taken taken = profile.take();
    TakenReport report{{}, taken.dropped};
    report.events.reserve(taken.events.size());
    for (const ProfileEvent& event : taken.events)
      report.events.push_back(reportOf(event, profile.startedAt()));
    return toValue(info.Env(), report);
  });
}

Napi::Value profilePending(const Napi::CallbackInfo& info) {
  return guarded(info, [&] { return toValue(info.Env(), profileOf(info).pending()); });
}

Napi::Value profileEnter(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    return toValue(info.Env(), profileOf(info).enter(fromValue<std::string>(info[0], {"span: name"})));
  });
}

Napi::Value profileLeave(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    profileOf(info).leave(fromValue<int64_t>(info[0], {"span: number"}));
    return info.Env().Undefined();
  });
}

Napi::Value leaveOutKernels(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto on = fromValue<bool>(info[0], {"leaveOutKernels: on"});
    const Device device = Environment::of(info.Env()).cpu();
    cpu::cpuOf(device).leaveOutKernels(on);
    return info.Env().Undefined();
  });
}

}  // namespace crossmap::addon
