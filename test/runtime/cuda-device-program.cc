// Drives runtime/cuda/cuda-device over a stand-in for the CUDA runtime. Its argument names a case; each prints what it
// finds, line by line.
#include <condition_variable>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <vector>

#include "runtime/cuda/cuda-device.h"
#include "runtime/cuda/launch.h"

namespace {

using namespace crossmap;
using namespace crossmap::cuda;

// Something that one thread waits for until another says so.
class Gate {
 public:
  void open() {
    {
      const std::lock_guard lock(mutex_);
      isOpen_ = true;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return isOpen_; });
  }
  bool isOpen() {
    const std::lock_guard lock(mutex_);
    return isOpen_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool isOpen_ = false;
};

// Kernels.
void wait(Gate* gate) { gate->pass(); }
void fill(float* to, float value, int count) { std::fill(to, to + count, value); }
void addOne(float* to, int count) {
  for (int index = 0; index < count; index++) to[index]++;
}
void nothing() {}
void breakDevice() { fakeBreak(); }
void fault(FaultSlot* slot, int64_t index, int32_t value) {
  slot->report = static_cast<uint64_t>(index) << 32 | static_cast<uint32_t>(value);
}

template <typename... P, typename... A>
void enqueue(CudaDevice& device, const char* op, void (*kernel)(P...), A... args) {
  launch(device, {op, {1}, 32}, kernel, args...);
}

std::string text(const std::optional<Error>& error) {
  return error ? std::string(codeName(error->code())) + " " + error->what() : "no fault";
}

std::string thrown(const std::function<void()>& work) {
  try {
    work();
    return "nothing";
  } catch (const Error& error) {
    return text(error);
  }
}

// Waits for all ops, and gives the fault.
std::string synchronized(CudaDevice& device) {
  Gate done;
  std::string found;
  device.synchronize([&](std::optional<Error> error) {
    found = text(error);
    done.open();
  });
  done.pass();
  return found;
}

std::vector<float> read(CudaDevice& device, const void* from, size_t count) {
  std::vector<float> values(count);
  Gate done;
  device.copyOut(values.data(), from, static_cast<int64_t>(count * sizeof(float)),
                 [&](std::optional<Error>) { done.open(); });
  done.pass();
  return values;
}

void say(const auto&... parts) { ((std::cout << parts << " "), ...) << std::endl; }

// A copy from the host overlaps the ops before it; those after it see it.
void overlap() {
  CudaDevice device;
  Gate gate;
  enqueue(device, "wait", wait, &gate);
  std::vector<float> values{1, 2, 3};
  auto* memory = static_cast<float*>(device.upload(values.data(), 12));
  values.assign(3, 99);  // the call has taken a copy
  enqueue(device, "addOne", addOne, memory, 3);
  while (fakeCopiesDone(cudaMemcpyHostToDevice) == 0) std::this_thread::yield();
  say("copied while the op waits:", !gate.isOpen());
  gate.open();
  const auto found = read(device, memory, 3);
  say(found[0], found[1], found[2]);
}

// Memory that an op may still read is not overwritten by a copy from the host.
void reuse() {
  CudaDevice device;
  const std::vector<float> ones(4096, 1), twos(4096, 2);
  void* first = device.upload(ones.data(), 16384);
  Gate gate;
  enqueue(device, "wait", wait, &gate);
  enqueue(device, "addOne", addOne, static_cast<float*>(first), 4096);
  device.release(first);
  void* second = device.upload(twos.data(), 16384);
  say("other memory while an op waits:", first != second);
  void* third = device.allocate(16384);
  say("an op gets memory of its own pool:", third != first && third != second);
  gate.open();
  synchronized(device);
  device.release(second);
  void* fourth = device.upload(twos.data(), 16384);
  say("the first again once its ops are done:", fourth == first);
}

// Memory that was released serves the next op at once.
void order() {
  CudaDevice device;
  Gate gate;
  enqueue(device, "wait", wait, &gate);
  auto* x = static_cast<float*>(device.allocate(40000));
  auto* y = static_cast<float*>(device.allocate(40000));
  enqueue(device, "fill", fill, x, 1.f, 10000);
  device.copyWithin(y, x, 40000);
  device.release(x);
  auto* z = static_cast<float*>(device.allocate(40000));
  say("the same memory:", x == z);
  enqueue(device, "fill", fill, z, 5.f, 10000);
  gate.open();
  say(read(device, y, 10000)[9999], read(device, z, 10000)[9999]);
}

// Reading does not wait; the completion comes after the ops before it, in order.
void completions() {
  CudaDevice device;
  Gate gate;
  auto* x = static_cast<float*>(device.allocate(4));
  enqueue(device, "wait", wait, &gate);
  enqueue(device, "fill", fill, x, 7.f, 1);
  std::vector<std::string> events;
  Gate done;
  float value = 0;
  device.copyOut(&value, x, 4, [&](std::optional<Error>) { events.push_back("copied " + std::to_string(value)); });
  device.onceExecuted([&] { events.push_back("executed"); });
  device.synchronize([&](std::optional<Error>) {
    events.push_back("synchronized");
    done.open();
  });
  enqueue(device, "fill", fill, x, 8.f, 1);
  say("returned before the op was done:", events.empty() && !gate.isOpen());
  gate.open();
  done.pass();
  for (const std::string& each : events) say(each);
}

// Faults of ops: the first of them, once.
void faults() {
  CudaDevice device;
  const auto enqueueFault = [&](const char* op, int64_t index, int32_t value) {
    FaultSlot* slot = device.faultSlot(op, ErrorCode::index, [=](int64_t at, int32_t what, int32_t) {
      return "id " + std::to_string(what) + " at " + std::to_string(at);
    });
    enqueue(device, op, fault, slot, index, value);
  };
  const auto enqueueSound = [&] {
    device.faultSlot("sound", ErrorCode::index, [](int64_t, int32_t, int32_t) { return std::string("never"); });
    enqueue(device, "sound", nothing);
  };
  enqueueSound();
  enqueueFault("embedding", 5, -3);
  enqueueFault("cast", 0, 1);
  say(synchronized(device));
  say(synchronized(device));
  for (int launches = 0; launches < 2000; launches++) enqueueSound();
  enqueueFault("last", int64_t{1} << 31, 7);
  for (int launches = 0; launches < 2000; launches++) enqueueSound();
  say(synchronized(device));
  enqueueFault("kept", 1, 1);
  Gate done;
  device.onceExecuted([&] { done.open(); });
  done.pass();
  say(synchronized(device));
  for (int launches = 0; launches < 2000; launches++) enqueueSound();
  say(synchronized(device));
}

// A device that has failed says which op, and goes on saying so.
void lost() {
  CudaDevice device;
  void* before = device.allocate(100);
  Gate gate;
  enqueue(device, "sound", nothing);
  enqueue(device, "wait", wait, &gate);
  enqueue(device, "adamw", breakDevice);
  float value = 0;
  Gate done;
  std::string first;
  device.copyOut(&value, before, 4, [&](std::optional<Error> error) {
    first = text(error);
    done.open();
  });
  gate.open();
  done.pass();
  say(first);
  const std::vector<float> values(4);
  say(thrown([&] { device.allocate(4); }) == first, thrown([&] { device.upload(values.data(), 4); }) == first,
      thrown([&] { enqueue(device, "cast", nothing); }) == first,
      thrown([&] { device.synchronize([](std::optional<Error>) {}); }) == first,
      thrown([&] { device.copyWithin(before, before, 4); }) == first,
      thrown([&] { device.faultSlot("cast", ErrorCode::index, cuda::FaultText{}); }) == first);
  device.release(before);
  device.emptyCache();
  say("ended");
}

// A launch that is refused says so and spoils nothing.
void refused() {
  CudaDevice device;
  say(thrown([&] { launch(device, {"cast", {1}, 2000}, nothing); }));
  say(thrown([&] { launch(device, {"cast", {1, 70000}, 32}, nothing); }));
  enqueue(device, "sound", nothing);
  say(synchronized(device));
}

void memory() {
  fakeCapacity(10'000'000);
  CudaDevice device;
  void* most = device.allocate(7'000'000);
  say(thrown([&] { device.allocate(5'000'000); }));
  device.release(most);
  say("cached:", device.memoryUse().cached, "taken:", fakeTaken());
  most = device.allocate(9'000'000);
  say("cached:", device.memoryUse().cached, "taken:", fakeTaken());
  device.release(most);
}

// What is enqueued when the device ends is not called back.
void stop() {
  Gate gate;
  bool isCalled = false;
  {
    CudaDevice device;
    enqueue(device, "wait", wait, &gate);
    device.synchronize([](std::optional<Error>) {});
    device.synchronize([&](std::optional<Error>) { isCalled = true; });
    std::thread opener([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      gate.open();
    });
    device.stop();
    opener.join();
  }
  say("called:", isCalled);
}

// A copy that is larger than the parts that it goes in.
void large() {
  CudaDevice device;
  std::vector<float> values(20'000'000);
  for (size_t index = 0; index < values.size(); index++) values[index] = static_cast<float>(index % 1000);
  void* memory = device.upload(values.data(), static_cast<int64_t>(values.size() * sizeof(float)));
  say("equal:", read(device, memory, values.size()) == values);
  device.release(memory);
}

// Recorded ops run at each replay, on memory that nobody else gets meanwhile.
void graph() {
  const auto device = std::make_shared<CudaDevice>();
  auto* input = static_cast<float*>(device->allocate(4));
  enqueue(*device, "fill", fill, input, 1.f, 1);
  auto* unrelated = static_cast<float*>(device->allocate(4));
  device->beginCapture();
  auto* inner = static_cast<float*>(device->allocate(4));
  auto* output = static_cast<float*>(device->allocate(4));
  device->copyWithin(inner, input, 4);
  enqueue(*device, "addOne", addOne, inner, 1);
  device->copyWithin(output, inner, 4);
  enqueue(*device, "addOne", addOne, input, 1);
  device->release(inner);
  device->release(unrelated);
  say(thrown([&] { device->synchronize([](std::optional<Error>) {}); }));
  say(thrown([&] { device->upload(output, 4); }));
  say(thrown([&] { device->beginCapture(); }));
  std::unique_ptr<CudaGraph> recorded = device->endCapture();
  say(thrown([&] { device->endCapture(); }));
  say("not executed:", read(*device, input, 1)[0]);
  recorded->replay();
  recorded->replay();
  say("executed twice:", read(*device, output, 1)[0], read(*device, input, 1)[0]);
  void* other = device->allocate(4);
  say("its memory is nobody else's:", other != inner, other != unrelated);
  device->release(output);
  recorded.reset();
  void* again = device->allocate(4);
  say("then everybody's:", again == inner || again == output || again == unrelated);
  for (void* each : {static_cast<void*>(input), other, again}) device->release(each);
}

// Faults of recorded ops are found at each replay.
void graphFaults() {
  const auto device = std::make_shared<CudaDevice>();
  device->beginCapture();
  FaultSlot* slot = device->faultSlot("embedding", ErrorCode::index,
                                      [](int64_t at, int32_t, int32_t) { return "id at " + std::to_string(at); });
  enqueue(*device, "embedding", fault, slot, int64_t{3}, 1);
  const std::unique_ptr<CudaGraph> recorded = device->endCapture();
  say(synchronized(*device));
  for (int round = 0; round < 2; round++) {
    recorded->replay();
    recorded->replay();
    say(synchronized(*device));
    say(synchronized(*device));
  }
}

}  // namespace

int main(int, char** arguments) {
  const std::map<std::string, void (*)()> cases{
      {"overlap", overlap}, {"reuse", reuse}, {"order", order},     {"completions", completions},
      {"faults", faults},   {"lost", lost},   {"refused", refused}, {"memory", memory},
      {"stop", stop},       {"large", large}, {"graph", graph},     {"graphFaults", graphFaults}};
  cases.at(arguments[1])();
}
