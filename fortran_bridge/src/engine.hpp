// Engines are separate shared objects, opened when an archive needs one.
#pragma once

#include <string>
#include <utility>

#include "archive.hpp"
#include "buffers.hpp"
#include "error.hpp"
#include "hybrid_engine.h"
#include "spec.hpp"

namespace hybrid {

struct EngineOptions {
  std::string device;
  int n_thread;
  std::string precision = "float32";  // or "bf16"
};

// An engine does not take what the archive holds for it; another one may run the archive.
class Unservable : public Error {
 public:
  Unservable(const std::string &who, std::string reason)
      : Error(HYBRID_ERROR_ENGINE, who + reason), reason_(std::move(reason)) {}
  const std::string &reason() const { return reason_; }

 private:
  std::string reason_;
};

// Ready to evaluate a number of columns whose arguments lie at fixed addresses. Used by one thread
// at a time.
class Session {
 public:
  Session(const hybrid_engine *engine, void *session) : engine_(engine), session_(session) {}
  Session(Session &&other) noexcept
      : engine_(other.engine_), session_(std::exchange(other.session_, nullptr)) {}
  Session &operator=(Session &&other) noexcept {
    std::swap(engine_, other.engine_);
    std::swap(session_, other.session_);
    return *this;
  }
  ~Session();

  // Writes the results from row `first` of the buffers on.
  void run(const Buffers &results, int64_t first) const;

 private:
  const hybrid_engine *engine_;
  void *session_;
};

// One loaded model. Sessions of it may be used by several threads at once, each by one.
class Model {
 public:
  Model(const std::string &engine, const Archive &archive, const Spec &spec,
        const EngineOptions &options);
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  Session prepare(int64_t n, const Shapes &shapes, const Buffers &arguments) const;
  const char *engine_name() const { return engine_->name; }
  const char *engine_version() const { return engine_->version; }
  const std::string &device() const { return device_; }
  // What it computes in where another precision than float32 was asked for; else empty.
  std::string precision() const;
  // Whether a column's bits are the same in blocks of any size.
  bool is_column_exact() const { return engine_->is_column_exact != 0; }

 private:
  const hybrid_engine *engine_;
  std::string device_;
  void *model_ = nullptr;
};

// Whether an engine lies where engines are looked for; it is not opened.
bool is_installed(const std::string &engine);

// Number of devices of a kind that an engine can use.
int device_count(const std::string &engine, const std::string &kind);

}  // namespace hybrid
