#include "runtime/cuda/cuda-graph.h"

#include "runtime/cuda/cuda-device.h"

namespace crossmap::cuda {

CudaGraph::CudaGraph(std::shared_ptr<CudaDevice> device, cudaGraphExec_t launchable, Recording recording)
    : device_(std::move(device)), launchable_(launchable), recording_(std::move(recording)) {}

CudaGraph::~CudaGraph() {
  cudaGraphExecDestroy(launchable_);  // CUDA lets a launch that is under way end first
  device_->dropRecording(recording_);
}

void CudaGraph::replay() { device_->replay(launchable_, recording_.slots); }

}  // namespace crossmap::cuda
