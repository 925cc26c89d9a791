#pragma once
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// SwiGLU, the gated activation of Llama's feed-forward layers. Shazeer 2020, arXiv:2002.05202.
//   y = gate * sigmoid(gate) * up
// gate and up: one shape, usually [tokens, hidden], and one float dtype. Returns a tensor like them.
Tensor swiglu(const Tensor& gate, const Tensor& up);

struct SwigluGradients {
  Tensor dGate;
  Tensor dUp;

  static constexpr auto fields() {
    return std::tuple(field("dGate", &SwigluGradients::dGate), field("dUp", &SwigluGradients::dUp));
  }
};

// Both gradients in one pass, where s = sigmoid(gate):
//   dGate = dy * up * s * (1 + gate * (1 - s))        dUp = dy * gate * s
SwigluGradients swigluBackward(const Tensor& dy, const Tensor& gate, const Tensor& up);

}  // namespace crossmap
