// What is executed where only the first and the last blocks of a launch are.
#include "runtime/simt/left-out.h"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

constexpr int kBlocks = 10;

__global__ void numberKernel(float* y) { y[blockIdx.x] = static_cast<float>(blockIdx.x + 1); }

__global__ void addNextKernel(const float* x, float* y) {
  y[blockIdx.x] = x[blockIdx.x] + x[(blockIdx.x + 1) % kBlocks];
}

// Each block writes its number, then each one reads what another wrote.
void ends(Context& context) {
  DeviceArray<float> x(kBlocks), y(kBlocks);
  simt::launch("number", kBlocks, 1, 0, nullptr, numberKernel, x.get());
  simt::launch("addNext", kBlocks, 1, 0, nullptr, addNextKernel, x.get(), y.get());
  append(context, x.values());
  append(context, y.values());
}

__global__ void numberInPlaneKernel(float* y) {
  const unsigned at = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  y[at] = static_cast<float>(at + 1);
}

void endsOfAxis(Context& context) {
  DeviceArray<float> y(5 * 2 * 2);
  simt::launch("number", dim3(5, 2, 2), 1, 0, nullptr, numberInPlaneKernel, y.get());
  append(context, y.values());
}

__global__ void addKernel(float* y, float x) { *y += x; }

// Launches number 0 to 3 add 1, 10, 100 and 1000, of which 1 and 2 are left out. The first three are counted
// as launches of before.
void launches(Context& context) {
  DeviceArray<float> y(std::vector<float>{0});
  const auto add = [&](float x) { simt::launch("add", 1, 1, 0, nullptr, addKernel, y.get(), x); };
  for (int i = 0; i < 3; i++) add(0);
  y.values();
  context.output.push_back(static_cast<uint32_t>(simt::leaveOutLaunches(1, 3)));
  for (const float x : {1.f, 10.f, 100.f, 1000.f}) add(x);
  append(context, y.values());
}

const Case endsCase{"ends", ends};
const Case endsOfAxisCase{"ends/of-axis", endsOfAxis};
const Case launchesCase{"ends/launches", launches};

}  // namespace

}  // namespace crossmap::cuda::test
