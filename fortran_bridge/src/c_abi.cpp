// The exported functions: null checks, status codes, nothing else.

#include <atomic>
#include <memory>
#include <string>

#include "binding.hpp"
#include "closure.hpp"
#include "error.hpp"
#include "hybrid.h"
#include "noise.hpp"

// Handles are counted, so that an assignment in the host's language can share them.
struct hybrid_closure {
  std::shared_ptr<const hybrid::Closure> closure;
  std::atomic<int> references{1};
};

struct hybrid_binding {
  hybrid::Binding binding;
  std::atomic<int> references{1};
  // Of hybrid_binding_tendency: who asks for it may be on another thread than who called.
  std::string error{};
};

namespace {

template <class Pointer>
void require(Pointer pointer, const char *what) {
  if (!pointer)
    throw hybrid::Error(HYBRID_ERROR_ARGUMENT, std::string("expected ") + what + ", got null");
}

template <class Handle>
int retain(Handle *handle, const char *what) {
  return hybrid::guarded([&] {
    require(handle, what);
    ++handle->references;
  });
}

template <class Handle>
void release(Handle *handle) {
  if (handle && --handle->references == 0) delete handle;
}

}  // namespace

const char *hybrid_last_error(void) { return hybrid::last_error(); }

const char *hybrid_version(void) { return HYBRID_VERSION; }

int hybrid_closure_load(const char *path, const char *engine, hybrid_closure **closure) {
  return hybrid::guarded([&] {
    require(closure, "an address for the closure");
    *closure = nullptr;
    require(path, "a path");
    require(engine, "an engine name");
    auto loaded = std::make_shared<const hybrid::Closure>(path, engine);
    *closure = new hybrid_closure{std::move(loaded)};
  });
}

int hybrid_closure_retain(hybrid_closure *closure) { return retain(closure, "a loaded closure"); }

void hybrid_closure_free(hybrid_closure *closure) { release(closure); }

const char *hybrid_closure_manifest(const hybrid_closure *closure) {
  return closure ? closure->closure->manifest().c_str() : nullptr;
}

int hybrid_closure_blocks(const hybrid_closure *closure, int64_t *sizes, int capacity) {
  if (!closure) return 0;
  const auto &blocks = closure->closure->blocks();
  for (int i = 0; sizes && i < capacity && i < static_cast<int>(blocks.size()); ++i)
    sizes[i] = blocks[static_cast<size_t>(i)].size;
  return static_cast<int>(blocks.size());
}

int hybrid_binding_create(const hybrid_closure *closure, int64_t n_column, const int64_t *column_id,
                          uint64_t seed, int reproducible, const char *policy,
                          hybrid_binding **binding) {
  return hybrid::guarded([&] {
    require(binding, "an address for the binding");
    *binding = nullptr;
    require(closure, "a loaded closure (load it first)");
    require(policy, "a policy");
    *binding = new hybrid_binding{{closure->closure, n_column, column_id, seed, reproducible != 0,
                                   hybrid::parse_policy(policy)}};
  });
}

int hybrid_binding_retain(hybrid_binding *binding) { return retain(binding, "a binding"); }

void hybrid_binding_free(hybrid_binding *binding) { release(binding); }

int hybrid_binding_bind(hybrid_binding *binding, const char *name, void *data, int kind, int rank,
                        const int64_t *shape, const int64_t *stride, const char *dims,
                        const char *units, int accumulate) {
  return hybrid::guarded([&] {
    require(binding, "a binding (create it first)");
    require(name, "a field name");
    require(dims, "the names of the dims");
    require(units, "units");
    if (rank < 1 || rank > 15)
      throw hybrid::Error(
          HYBRID_ERROR_SHAPE,
          std::string(name) + ": expected a rank from 1 to 15, got " + std::to_string(rank));
    require(shape, "a shape");
    require(stride, "strides");
    binding->binding.bind(
        name,
        {data, kind, {shape, shape + rank}, {stride, stride + rank}, dims, units, accumulate != 0});
  });
}

int hybrid_binding_run(hybrid_binding *binding, int64_t step) {
  return hybrid::guarded([&] {
    require(binding, "a binding (create it first)");
    binding->binding.run(step);
  });
}

int hybrid_binding_commit(hybrid_binding *binding) {
  return hybrid::guarded([&] {
    require(binding, "a binding (create it first)");
    binding->binding.commit();
  });
}

int hybrid_binding_tendency(void *context, int64_t step, int64_t stage, const void * /*fields*/,
                            void * /*tendency*/, const int64_t *sizes) {
  auto *binding = static_cast<hybrid_binding *>(context);
  const int status = hybrid::guarded([&] {
    require(binding, "a binding (create it first)");
    require(sizes, "sizes");
    const int64_t stages = sizes[HYBRID_TENDENCY_STAGES];
    if (stage < 0 || stage >= stages)
      throw hybrid::Error(HYBRID_ERROR_ARGUMENT,
                          "stage: expected a number from 0 to " + std::to_string(stages - 1) +
                              ", the last stage of a step, got " + std::to_string(stage));
    binding->binding.run(step);
    if (stage == stages - 1) binding->binding.commit();
  });
  if (status != HYBRID_OK && binding)
    hybrid::guarded([&] { binding->error = hybrid::last_error(); });
  return status;
}

const char *hybrid_binding_error(const hybrid_binding *binding) {
  return binding ? binding->error.c_str() : nullptr;
}

int hybrid_binding_mask(const hybrid_binding *binding, unsigned char *mask, int64_t n) {
  return hybrid::guarded([&] {
    require(binding, "a binding (create it first)");
    require(mask, "an array for the mask");
    binding->binding.mask(mask, n);
  });
}

int hybrid_binding_state_get(const hybrid_binding *binding, const char *name, double *values,
                             int64_t n) {
  return hybrid::guarded([&] {
    require(binding, "a binding (create it first)");
    require(name, "a field name");
    require(values, "an array");
    binding->binding.state_get(name, values, n);
  });
}

int hybrid_binding_state_set(hybrid_binding *binding, const char *name, const double *values,
                             int64_t n) {
  return hybrid::guarded([&] {
    require(binding, "a binding (create it first)");
    require(name, "a field name");
    require(values, "an array");
    binding->binding.state_set(name, values, n);
  });
}

int hybrid_noise(uint64_t seed, int64_t field, int64_t step, int64_t n_column,
                 const int64_t *column_id, int64_t size, double *values) {
  return hybrid::guarded([&] {
    require(column_id, "column ids");
    require(values, "an array");
    if (n_column < 0 || size < 1)
      throw hybrid::Error(HYBRID_ERROR_ARGUMENT, "noise: expected positive sizes");
    hybrid::fill_noise(seed, field, step, n_column, column_id, size, values);
  });
}
