// Steps whose values are wanted of some columns only: a select with one condition a column takes
// its first choice where the condition is not 0, and what leads to that choice alone need not be
// computed elsewhere. As no column's bits depend on others, this changes none.
#pragma once

#include <cstdint>
#include <vector>

#include "program.hpp"

namespace hybrid_native {

struct Region {
  int64_t condition = -1;  // step
  int64_t place = -1;      // step behind which all that it reads is there
  std::vector<int64_t> steps;
  std::vector<int64_t> inputs;   // steps outside that it reads
  std::vector<int64_t> outputs;  // those of its steps that are read outside
};

// Those that are worth the way of their columns out of a block and back; no step is in two.
std::vector<Region> find_regions(const Program &program);

// A region by itself: one argument, its inputs one behind the other, and one result, its outputs.
Program region_program(const Program &program, const Region &region);

int64_t total_size(const Program &program, const std::vector<int64_t> &steps);

}  // namespace hybrid_native
