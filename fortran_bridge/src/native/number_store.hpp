// Where the numbers of a program lie: many pieces in few large ones.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace hybrid_native {

struct FreeMemory {
  void operator()(void *memory) const { std::free(memory); }
};
template <class Number>
using Memory = std::unique_ptr<Number[], FreeMemory>;

// Zeroed numbers that begin at a cache line.
Memory<float> aligned_numbers(size_t count);

// Hands out pieces that live as long as it does, wherever it is moved to. Small programs take what
// they need; those of megabytes take large pages, which processors also find faster.
class NumberStore {
 public:
  // Zeroed numbers that begin at a cache line.
  float *take(size_t count);

 private:
  size_t n_taken_ = 0;  // in pieces of their own
  size_t n_left_ = 0;   // of the last of the large ones
  float *next_ = nullptr;
  std::vector<Memory<float>> kept_;
};

}  // namespace hybrid_native
