#include "storage.hpp"

#include <algorithm>

#include "code.hpp"

namespace hybrid_native {

int64_t RowAllocator::take(int64_t n_row) {
  n_row = (n_row + row_unit - 1) / row_unit * row_unit;
  int64_t first = 0;
  for (const auto &[begin, count] : taken_) {
    if (begin - first >= n_row) break;
    first = begin + count;
  }
  taken_[first] = n_row;
  end_ = std::max(end_, first + n_row);
  return first;
}

void RowAllocator::give_back(int64_t first) { taken_.erase(first); }

}  // namespace hybrid_native
