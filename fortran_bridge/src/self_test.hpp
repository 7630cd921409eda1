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

struct SelfTest {
  std::vector<Block> alike;  // sizes whose results agree bit for bit, ascending
  std::vector<Block> all;    // all sizes that were tried
};

// A matrix product of another size may round differently. Runs random columns in blocks of several
// sizes and orders, compares their results and measures what they take. It also warms the engine
// up, so that the first model step is not slower than the others.
SelfTest test_blocks(const Closure &closure);

}  // namespace hybrid
