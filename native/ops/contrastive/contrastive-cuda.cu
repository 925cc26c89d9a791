#include "ops/contrastive/contrastive-backward-cuda.cuh"
#include "ops/contrastive/contrastive-cuda.h"
#include "ops/contrastive/contrastive-forward-cuda.cuh"

namespace crossmap::cuda {

void contrastive(Stream& stream, const Tensor& x, const Tensor& y, const ContrastiveOptions& options,
                 const ContrastiveForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Problem<E> problem = problemOf<E>(x, y, options, out);
    FaultSlot* fault = options.weights
                           ? stream.faultSlot("contrastive", ErrorCode::argument,
                                              [](int64_t, int32_t) {
                                                return "weights must be finite, 0 or more, and not all 0";
                                              })
                           : nullptr;
    measureRows(stream, problem, out);
    scaleRows(stream, problem);
    findScalars(stream, problem, options, nullptr, fault);
    Sweep<E> sweep(stream, problem, x.device());
    for (const ScoreMatrix& matrix : scoreMatricesOf(problem)) sweep.run(matrix);
    sweep.finish(options, out);
  });
}

void contrastiveBackward(Stream& stream, const ContrastiveForward& forward, const Tensor& x, const Tensor& y,
                         const ContrastiveOptions& options, const ContrastiveBackward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Problem<E> problem = problemOf<E>(x, y, options, forward);
    scaleRows(stream, problem);
    // Weights that cannot be used were reported by the forward pass; their gradients are 0.
    findScalars(stream, problem, options, forward.loss.data<float>(), nullptr);
    Pulls<E> pulls(stream, problem, out, x.device());
    for (const ScoreMatrix& matrix : scoreMatricesOf(problem)) pulls.run(matrix);
    pulls.finish(out);
  });
}

}  // namespace crossmap::cuda
