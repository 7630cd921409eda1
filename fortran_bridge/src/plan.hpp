// How columns are divided into the blocks that an engine evaluates.
#pragma once

#include <cstdint>
#include <vector>

#include "self_test.hpp"

namespace hybrid {

// Columns `first` to `first + size - 1`; the last block may reach past the last column.
struct Range {
  int64_t first;
  int64_t size;
};

// Covers `n` columns with blocks that round alike, whatever is quickest: which is chosen cannot be
// seen in the results.
std::vector<Range> reproducible_plan(const std::vector<Block> &blocks, int64_t n);

// Divides `n` columns evenly into the fewest blocks of at most `largest`.
std::vector<Range> even_plan(int64_t n, int64_t largest);

}  // namespace hybrid
