// Decomposition invariance rests on what is measured here.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <vector>

namespace hybrid {

class Closure;

// A number of columns that may be evaluated together, and what one evaluation took.
struct Block {
  int64_t size;
  double seconds;
};

// Columns evaluated at once at most: beyond, activations leave the caches, and memory that is
// given back to the system after each call costs more than a second call.
constexpr int64_t largest_block = 2048;

// The block sizes whose results agree bit for bit, as found by running random columns: a matrix
// product of another size may round differently. May be used by several threads at once.
//
// Random columns are worth what is known of the host's. Where an input or state lacks a bound, or
// where no roundings show, only multiples of 32 columns are taken: these leave no rest to other
// instructions, whatever the values.
class SelfTest {
 public:
  // Tries orders and some sizes, within 128 MiB of arguments and results and half a second; columns
  // of which 128 do not fit (about 87,000 numbers of 4 bytes) run one at a time, which needs no
  // test. It also warms the engine up, so that the first model step is not slower than the others.
  explicit SelfTest(const Closure &closure);

  // Tries also blocks that hold these numbers of columns or their rest, each once in the life of a
  // closure.
  void consider(const Closure &closure, std::initializer_list<int64_t> numbers);

  // Sizes that round alike, ascending.
  std::vector<Block> alike() const;

 private:
  struct Reference;

  // What a test of a size would take at most [s].
  double cost(const Reference &reference, int64_t size) const;
  // Tries a size; returns what that took [s].
  double try_size(Reference &reference, int64_t size);
  double seconds_a_column() const;

  mutable std::mutex mutex_;
  double seconds_of_reference_ = 0.0;
  bool takes_rest_ = false;
  std::vector<Block> alike_{{1, 0.0}};
  std::set<int64_t> tried_{1};
};

}  // namespace hybrid
