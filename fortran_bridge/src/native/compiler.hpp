// From a program to instructions: what follows a value and nothing else is fused with it, weights
// are packed, and rows are shared by values that do not live at the same time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "code.hpp"
#include "constants.hpp"
#include "program.hpp"

namespace hybrid_native {

struct CompiledGate;

struct Compiled {
  std::vector<Instruction> instructions;
  std::vector<Elementwise> elementwise;
  std::vector<std::vector<int32_t>> indices;
  NumberStore constants;
  std::vector<std::shared_ptr<CompiledGate>> gates;
  int64_t n_row;  // of a workspace

  Code code() const { return {instructions.data(), static_cast<int64_t>(instructions.size())}; }
};

// What is done for some columns only.
struct CompiledGate {
  Compiled compiled;
  std::vector<Rows> inputs, outputs;
  Gate gate;
};

// Whatever of `program` is needed later is copied.
Compiled compile(const Program &program);

}  // namespace hybrid_native
