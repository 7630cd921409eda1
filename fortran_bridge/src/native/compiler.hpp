// From a program to instructions: what follows a value and nothing else is fused with it, weights
// are packed, and rows are shared by values that do not live at the same time.
#pragma once

#include <cstdint>
#include <vector>

#include "code.hpp"
#include "constants.hpp"
#include "program.hpp"

namespace hybrid_native {

struct Compiled {
  std::vector<Instruction> instructions;
  std::vector<Elementwise> elementwise;
  std::vector<std::vector<int32_t>> indices;
  std::vector<Memory<float>> constants;
  int64_t n_row;  // of a workspace

  Code code() const { return {instructions.data(), static_cast<int64_t>(instructions.size())}; }
};

// Whatever of `program` is needed later is copied.
Compiled compile(const Program &program);

}  // namespace hybrid_native
