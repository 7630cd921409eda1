// Decomposition invariance rests on what is measured here, when a closure is loaded.
#pragma once

#include <cstdint>
#include <vector>

namespace hybrid {

class Closure;

// A number of columns that may be evaluated together, and what one evaluation took.
struct Block {
  int64_t size;
  double seconds;
};

// A matrix product of another size may round differently. Runs random columns in blocks of
// several sizes and orders, and returns the sizes whose results agree bit for bit, ascending.
// It also warms the engine up, so that the first model step is not slower than the others.
std::vector<Block> blocks_that_round_alike(const Closure &closure);

}  // namespace hybrid
