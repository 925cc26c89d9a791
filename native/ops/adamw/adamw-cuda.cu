#include "ops/adamw/adamw-cuda.h"
#include "ops/adamw/adamw-step.h"
#include "runtime/cuda/elements.cuh"
#include "runtime/cuda/work-list.h"

namespace crossmap::cuda {

namespace {

// One parameter; where it has no master the weights are the parameter.
struct Item {
  void* parameter;  // [count] of dtype
  float* weights;   // [count], here and below
  const float* gradient;
  float *firstMoment, *secondMoment;
  int64_t count;
  float keep;  // 1 - lr * weightDecay
  DType dtype;
  bool isWide;  // whether all are aligned for packs; else elements go one by one
};

constexpr int kWidth = 4;
constexpr int kPacks = 2;  // of each operand in flight in one thread
constexpr int64_t kElementsPerBlock = 8192;

// As many parameters as the 4 KB of a kernel's arguments hold.
using List = WorkList<Item, 48, kElementsPerBlock>;

struct Args {
  List list;
  const float* gradientScale;  // [], or null
  AdamwFactors factors;
};
static_assert(sizeof(Args) <= 4096);

template <int width>
struct Loaded {
  Pack<float, width> gradient, firstMoment, secondMoment, weights;
};

template <int width>
__device__ inline Loaded<width> load(const Item& item, int64_t at) {
  return {loadPack<width>(item.gradient + at), loadPack<width>(item.firstMoment + at),
          loadPack<width>(item.secondMoment + at), loadPack<width>(item.weights + at)};
}

template <typename E, int width>
__device__ inline void storeParameter(const Item& item, int64_t at, const Pack<float, width>& rWeights) {
  Pack<E, width> rParameter;
#pragma unroll
  for (int i = 0; i < width; i++) rParameter.values[i] = round<E>(rWeights.values[i]);
  storePack(static_cast<E*>(item.parameter) + at, rParameter);
}

template <int width>
__device__ inline void update(const Args& args, const Item& item, float scale, int64_t at, Loaded<width>& r) {
#pragma unroll
  for (int i = 0; i < width; i++)
    adamwStep(args.factors, item.keep, r.gradient.values[i] * scale, r.firstMoment.values[i],
              r.secondMoment.values[i], r.weights.values[i], [](float x) { return sqrtf(x); });
  storePack(item.firstMoment + at, r.firstMoment);
  storePack(item.secondMoment + at, r.secondMoment);
  storePack(item.weights + at, r.weights);
  if (item.dtype == DType::bfloat16) storeParameter<BFloat16>(item, at, r.weights);
  if (item.dtype == DType::float16) storeParameter<Float16>(item, at, r.weights);
}

// Elements `begin` to `end` in packs, of which there are whole ones only.
template <int width>
__device__ inline void updateRange(const Args& args, const Item& item, float scale, int64_t begin,
                                   int64_t end) {
  constexpr int64_t kStep = int64_t{kElementThreads} * width;
  for (int64_t first = begin + int64_t{threadIdx.x} * width; first < end; first += kStep * kPacks) {
    Loaded<width> r[kPacks];
#pragma unroll
    for (int each = 0; each < kPacks; each++)
      if (first + each * kStep < end) r[each] = load<width>(item, first + each * kStep);
#pragma unroll
    for (int each = 0; each < kPacks; each++)
      if (first + each * kStep < end) update(args, item, scale, first + each * kStep, r[each]);
  }
}

// A block owns kElementsPerBlock elements of one parameter. Bound by memory: gradient, weights and moments
// are read once, weights, moments and parameter written once. No shared memory.
__global__ void __launch_bounds__(kElementThreads) adamwKernel(const __grid_constant__ Args args) {
  const float scale = args.gradientScale ? *args.gradientScale : 1.f;
  if (!(fabsf(scale) < kInfinity)) return;  // all threads alike
  const int index = args.list.itemOf(blockIdx.x);
  const Item& item = args.list.items[index];
  const int64_t begin = args.list.beginOf(blockIdx.x, index);
  const int64_t end = begin + kElementsPerBlock < item.count ? begin + kElementsPerBlock : item.count;
  const int64_t packedEnd = item.isWide ? begin + (end - begin) / kWidth * kWidth : begin;
  updateRange<kWidth>(args, item, scale, begin, packedEnd);
  updateRange<1>(args, item, scale, packedEnd, end);
}

Item itemOf(const AdamwArguments& arguments, size_t index) {
  const Tensor& parameter = arguments.parameters[index];
  const bool hasMaster = parameter.dtype() != DType::float32;
  Item item{parameter.raw(),
            hasMaster ? arguments.masters[index]->data<float>() : parameter.data<float>(),
            arguments.gradients[index].data<float>(),
            arguments.firstMoments[index].data<float>(),
            arguments.secondMoments[index].data<float>(),
            parameter.elements(),
            keepOf(arguments, index),
            parameter.dtype(),
            false};
  item.isWide = areAlignedFor(kWidth, item.weights, item.gradient, item.firstMoment, item.secondMoment) &&
                (!hasMaster || areAlignedFor(kWidth, static_cast<const uint16_t*>(item.parameter)));
  return item;
}

}  // namespace

void adamw(Stream& stream, const AdamwArguments& arguments) {
  std::vector<Item> items;
  for (size_t index = 0; index < arguments.parameters.size(); index++)
    items.push_back(itemOf(arguments, index));
  const float* scale = arguments.gradientScale ? arguments.gradientScale->data<float>() : nullptr;
  for (const List& list : workLists<List>(items))
    launch(stream, {"adamw", {list.blocks}, kElementThreads}, adamwKernel,
           Args{list, scale, factorsOf(arguments)});
}

}  // namespace crossmap::cuda
