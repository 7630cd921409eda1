// A model ready to run, and columns at fixed addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "compiler.hpp"

namespace hybrid_native {

struct Model {
  const Kernels *kernels;
  int n_thread;
  Forms fields;
  Compiled compiled;
  std::string precision;  // what it computes in, for people; empty: nothing else was asked for
};

class Session {
 public:
  Session(const Model &model, int64_t n, const void *const *arguments);

  // Evaluates all columns; allocates nothing.
  void run(void *const *results);

 private:
  // What one thread needs for its columns.
  struct Worker {
    std::vector<const void *> arguments;
    std::vector<void *> results;
    Memory<float> rows;
  };

  int64_t stride_of(int64_t n) const;
  void run_blocks(Worker &worker, void *const *results, int64_t first, int64_t last) const;
  void run_block(Worker &worker, void *const *results, int64_t first, int64_t n) const;

  const Model *model_;
  int64_t n_;
  int64_t block_;  // columns evaluated together
  std::vector<const std::byte *> arguments_;
  std::vector<Worker> workers_;
};

}  // namespace hybrid_native
