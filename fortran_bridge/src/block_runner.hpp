// Evaluating columns in blocks of one size, as a binding does, against the clock.
#pragma once

#include <cstdint>
#include <limits>

#include "buffers.hpp"
#include "engine.hpp"

namespace hybrid {

class Closure;

class BlockRunner {
 public:
  BlockRunner(const Closure &closure, int64_t size);

  // Evaluates rows `first` to `first + n - 1` of `arguments` into the same rows of `results`; `n`
  // is a multiple of the size.
  void run(const Buffers &arguments, const Buffers &results, int64_t first, int64_t n);

  // What the quickest block took: what else the machine does only ever adds.
  double seconds() const { return seconds_; }

 private:
  void evaluate(const Buffers &results, int64_t first);

  int64_t size_;
  Buffers block_;
  Session session_;
  bool is_warm_ = false;
  double seconds_ = std::numeric_limits<double>::infinity();
};

}  // namespace hybrid
