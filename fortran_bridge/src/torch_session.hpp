// What the engines that run on torch share: threads, devices, tensors of a session, checks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cfenv>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "hybrid_engine.h"

namespace hybrid_torch {

struct Field {
  std::string name;
  at::ScalarType type;
};

std::vector<Field> fields_of(const hybrid_engine_field *fields, int n);

// "float32 [16, 60]", as messages call a tensor; what is no defined tensor has a name too.
std::string described(at::ScalarType type, at::IntArrayRef shape);
std::string described(const at::Tensor &tensor);

// The device "cpu" or "cuda:N"; throws unless this torch can use it.
at::Device device_called(const char *name);
int device_count(const char *kind) noexcept;
int thread_count(const hybrid_engine_options &options);

// This many threads inside operations, whatever the host uses: with all cores of a node busy, the
// barriers of a second thread cost a hundred times the arithmetic. They may be the host's OpenMP
// threads, with its traps and rounding: while alive, all compute in the default floating-point
// environment, that of the calling thread. The host's settings come back.
class Threads {
 public:
  explicit Threads(int n);
  ~Threads();
  Threads(const Threads &) = delete;
  Threads &operator=(const Threads &) = delete;

 private:
  int host_;
  int mkl_ = 0;
  struct Environment {
    std::fenv_t value;
    bool is_kept = false;
  };
  std::vector<Environment> environments_;  // the host's of each thread; empty for a single one
};

// The tensors around the buffers of a session. On the CPU arguments are the caller's memory; on
// another device they are copied there, and results back, through pinned memory.
class Tensors {
 public:
  Tensors(at::Device device, int64_t n, const std::vector<Field> &arguments,
          const std::vector<Field> &results, const int64_t *const *shapes,
          const void *const *addresses);

  // Brings what the caller wrote to the device.
  void fetch();
  const std::vector<at::Tensor> &arguments() const { return arguments_; }

  void expect_results(size_t found) const;
  // Throws unless the tensor is what result number i has to be.
  void check(size_t i, const at::Tensor &found) const;
  // Copies result number i to the caller, or on its way there: all have arrived after finish.
  void deliver(size_t i, const at::Tensor &found, void *destination);
  void finish(void *const *destinations);

 private:
  struct Result {
    std::string name;
    at::ScalarType type;
    std::vector<int64_t> shape;
    at::Tensor pinned;
  };

  at::Device device_;
  std::vector<at::Tensor> arguments_;
  std::vector<at::Tensor> hosts_;   // the caller's memory
  std::vector<at::Tensor> pinned_;  // on its way to the device
  std::vector<Result> results_;
};

// Runs `body`; an exception becomes a message and the status 1.
template <class Body>
int guarded(char *message, size_t size, Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    std::snprintf(message, size, "%s", error.what_without_backtrace());
  } catch (const std::exception &error) {
    std::snprintf(message, size, "%s", error.what());
  } catch (...) {
    std::snprintf(message, size, "unknown exception");
  }
  return 1;
}

}  // namespace hybrid_torch
