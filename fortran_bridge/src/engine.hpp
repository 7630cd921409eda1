// Engines are separate shared objects, opened when an archive needs one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive.hpp"
#include "hybrid_engine.h"
#include "spec.hpp"

namespace hybrid {

// One loaded model. `run` may be called from several threads at once.
class Model {
 public:
  Model(const std::string &engine, const Archive &archive, const Spec &spec);
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  void run(const hybrid_engine_call &call) const;
  const char *engine_name() const { return engine_->name; }

 private:
  const hybrid_engine *engine_;
  void *model_ = nullptr;
};

}  // namespace hybrid
