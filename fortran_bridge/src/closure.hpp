// A loaded closure: immutable, shared by all bindings and threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive.hpp"
#include "buffers.hpp"
#include "engine_choice.hpp"
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
  // Whether blocks of any size round alike, so that blocks() need not be looked at.
  bool is_column_exact() const { return chosen_.model->is_column_exact(); }
  // Blocks that round alike, by ascending size.
  std::vector<Block> blocks() const { return self_test_.alike(); }
  // Tries also blocks of just these sizes.
  void consider_blocks(std::initializer_list<int64_t> sizes) const {
    self_test_.consider(*this, sizes);
  }

  // Makes ready to evaluate `n` columns that lie at the start of these buffers.
  Session prepare(int64_t n, const Shapes &shapes, const Buffers &arguments) const;

 private:
  std::string manifest_;
  Spec spec_;
  ChosenModel chosen_;
  mutable SelfTest self_test_;  // knows more the more is asked
  std::string description_;
};

}  // namespace hybrid
