// A graph without branches whose every operation is known, evaluated at fixed addresses.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <vector>

#include "torch_steps.hpp"

namespace hybrid_torch {

// What torch's interpreter spends on a small network is mostly its own: it looks operations up,
// checks what cannot change, and allocates every result. The sizes of a session never change, so
// all that is done once, and a run repeats the kernels alone. Used by one thread at a time.
class StraightGraph {
 public:
  // Of the graph of a frozen `forward`, whose first input is the module, on tensors that outlive
  // this; null if it branches, alters tensors, draws random numbers, or does what is not known.
  static std::unique_ptr<StraightGraph> of(const torch::jit::Graph &graph,
                                           const std::vector<at::Tensor> &arguments);

  // Whether a run on tensors like these gives the bits of the interpreter: tried on others.
  static bool agrees(const torch::jit::Module &module, const std::vector<at::Tensor> &arguments);

  void run() const {
    for (const auto &step : steps_) step();
  }
  // What a run leaves; the next one overwrites it.
  const std::vector<at::Tensor> &results() const { return results_; }

 private:
  std::vector<Step> steps_;
  std::vector<at::Tensor> results_;
};

}  // namespace hybrid_torch
