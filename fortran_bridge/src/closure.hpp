// A loaded closure: immutable, shared by all bindings and threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive.hpp"
#include "buffers.hpp"
#include "engine.hpp"
#include "self_test.hpp"
#include "spec.hpp"

namespace hybrid {

class Closure {
 public:
  Closure(const std::string &path, const std::string &engine);

  const std::string &manifest() const { return manifest_; }
  const Spec &spec() const { return spec_; }
  // Blocks that round alike, by ascending size.
  const std::vector<Block> &blocks() const { return blocks_; }

  // Evaluates `n` columns starting at row `first` of the buffers.
  void run(const Buffers &arguments, const Buffers &results, int64_t first, int64_t n) const;

 private:
  Closure(Archive archive, const std::string &engine);

  std::string manifest_;
  Spec spec_;
  Model model_;
  Shapes shapes_;
  std::vector<Block> blocks_;
};

}  // namespace hybrid
