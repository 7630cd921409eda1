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
  Closure(Archive archive, const std::string &engine, const EngineOptions &options);

  const std::string &manifest() const { return manifest_; }
  // Lines of text for people.
  const std::string &description() const { return description_; }
  const Spec &spec() const { return spec_; }
  // Blocks that round alike, by ascending size.
  const std::vector<Block> &blocks() const { return self_test_.alike; }
  // What blocks of several sizes take, whether they round alike or not.
  const std::vector<Block> &speeds() const { return self_test_.all; }

  // Makes ready to evaluate `n` columns that lie at the start of these buffers.
  Session prepare(int64_t n, const Shapes &shapes, const Buffers &arguments) const;

 private:
  std::string manifest_;
  Spec spec_;
  Model model_;
  SelfTest self_test_;
  std::string description_;
};

}  // namespace hybrid
