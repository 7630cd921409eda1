// Numbers of a program in the order in which kernels read them; copied once, at load.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "number_store.hpp"
#include "program.hpp"

namespace hybrid_native {

// What it returns is valid as long as what take() gave.
class Constants {
 public:
  explicit Constants(const Program &program) : program_(&program) {}

  // A tensor as it is, padded with zeros to whole vectors; null for number -1.
  const void *plain(int64_t tensor);

  // A matrix [out, in] and its bias in panels of `panel_height` outputs: one bias for each, then
  // one weight for each and every input. Outputs that pad the last panel are zero.
  const void *panels(int64_t weight, int64_t bias);

  // The same with weights of bf16: for each output a word of the weights of two inputs in place of
  // one weight, the first of them in the lower half. Biases stay float32. See bf16_weights.hpp.
  const float *pair_panels(int64_t weight, int64_t bias);

  NumberStore take() { return std::move(store_); }

 private:
  // Room for as many numbers of a tensor's type.
  void *take_like(const Tensor &tensor, int64_t count);
  template <class Number>
  void pack(const Tensor &weight, const Tensor *bias, Number *panels) const;

  const Program *program_;
  std::map<std::pair<int64_t, int64_t>, const void *> known_panels_;
  std::map<std::pair<int64_t, int64_t>, const float *> known_pairs_;
  std::map<int64_t, const void *> known_;
  NumberStore store_;
};

}  // namespace hybrid_native
