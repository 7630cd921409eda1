// Rows of the workspace, given to values as long as somebody needs them.
#pragma once

#include <cstdint>
#include <map>

namespace hybrid_native {

// Hands out ranges of rows, first fit, so that few are needed at once.
class RowAllocator {
 public:
  int64_t take(int64_t n_row);
  void give_back(int64_t first);
  // Rows that were ever needed.
  int64_t n_row() const { return end_; }

 private:
  std::map<int64_t, int64_t> taken_;  // first row to number of rows
  int64_t end_ = 0;
};

}  // namespace hybrid_native
