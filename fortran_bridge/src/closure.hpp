// A loaded closure: immutable, shared by all bindings and threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive.hpp"
#include "buffers.hpp"
#include "engine.hpp"
#include "spec.hpp"

namespace hybrid {

class Closure {
 public:
  Closure(const std::string &path, const std::string &engine);

  const std::string &manifest() const { return manifest_; }
  const Spec &spec() const { return spec_; }
  // Block sizes that round alike, ascending.
  const std::vector<int64_t> &blocks() const { return blocks_; }

  // Evaluates `n` columns starting at row `first` of the buffers.
  void run(const Buffers &arguments, const Buffers &results, int64_t first, int64_t n) const;

 private:
  Closure(Archive archive, const std::string &engine);

  std::string manifest_;
  Spec spec_;
  Model model_;
  Shapes shapes_;
  std::vector<int64_t> blocks_;
};

}  // namespace hybrid
