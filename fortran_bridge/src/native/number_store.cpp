#include "number_store.hpp"

#include <algorithm>
#include <cstring>

#include "../large_pages.hpp"

namespace hybrid_native {

namespace {

constexpr size_t line = 64 / sizeof(float);
constexpr size_t most_by_themselves = size_t{1} << 18;  // numbers, 1 MiB
constexpr size_t large_piece = 2 * hybrid::large_page / sizeof(float);

}  // namespace

Memory<float> aligned_numbers(size_t count) {
  const size_t bytes = std::max(count, line) * sizeof(float);
  auto *memory = static_cast<float *>(hybrid::allocate_large(bytes));
  std::memset(memory, 0, bytes);
  return Memory<float>(memory);
}

float *NumberStore::take(size_t count) {
  count = std::max(line, (count + line - 1) / line * line);
  if (n_taken_ + count <= most_by_themselves) {
    n_taken_ += count;
    kept_.push_back(aligned_numbers(count));
    return kept_.back().get();
  }
  if (count > n_left_) {
    n_left_ = std::max(count, large_piece);
    kept_.push_back(
        Memory<float>(static_cast<float *>(hybrid::allocate_large(n_left_ * sizeof(float)))));
    next_ = kept_.back().get();
  }
  float *piece = next_;
  next_ += count;
  n_left_ -= count;
  std::memset(piece, 0, count * sizeof(float));
  return piece;
}

}  // namespace hybrid_native
