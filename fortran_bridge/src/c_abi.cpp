// The exported functions: null checks, status codes, nothing else.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "binding.hpp"
#include "closure.hpp"
#include "device.hpp"
#include "error.hpp"
#include "hybrid.h"
#include "log.hpp"
#include "noise.hpp"
#include "precision.hpp"
#include "ticks.hpp"

// Handles are counted, so that an assignment in the host's language can share them.
struct hybrid_closure {
  std::shared_ptr<const hybrid::Closure> closure;
  std::atomic<int> references{1};
};

struct hybrid_binding {
  hybrid::Binding binding;
  std::atomic<int> references{1};
  std::string summary{};
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

// A binding that exists; a const one stays const.
template <class Handle>
auto &checked(Handle *handle) {
  require(handle, "a binding (create it first)");
  return handle->binding;
}

// Far beyond any memory, and safe in 64-bit products.
constexpr int64_t most_columns = int64_t{1} << 40;

// The caller's numbers, or 1, 2, ...
std::vector<int64_t> column_numbers(const std::string &name, int64_t n, const int64_t *column_id) {
  if (n < 0)
    throw hybrid::Error(HYBRID_ERROR_ARGUMENT,
                        name + ": expected a number of columns, got " + std::to_string(n));
  if (n > most_columns)
    throw hybrid::Error(HYBRID_ERROR_ARGUMENT, name + ": expected at most " +
                                                   std::to_string(most_columns) + " columns, got " +
                                                   std::to_string(n));
  if (column_id) return {column_id, column_id + n};
  std::vector<int64_t> numbers(static_cast<size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

hybrid::ArrayView view_of(const char *name, const void *data, int kind, int rank,
                          const int64_t *shape, const int64_t *stride, const char *dims,
                          const char *units, int accumulate) {
  require(name, "a field name");
  require(dims, "the names of the dims");
  require(units, "units");
  if (rank < 1 || rank > 15)
    throw hybrid::Error(
        HYBRID_ERROR_SHAPE,
        std::string(name) + ": expected a rank from 1 to 15, got " + std::to_string(rank));
  require(shape, "a shape");
  require(stride, "strides");
  auto *bytes = static_cast<std::byte *>(const_cast<void *>(data));
  return {bytes, kind, rank, shape, stride, dims, units, accumulate != 0};
}

void create(const hybrid_closure *closure, int64_t n, const int64_t *column_id,
            const hybrid::GridView *grid, uint64_t seed, int reproducible, const char *policy,
            hybrid_binding **binding) {
  require(binding, "an address for the binding");
  *binding = nullptr;
  require(closure, "a loaded closure (load it first)");
  require(policy, "a policy");
  const auto &loaded = closure->closure;
  auto numbers = column_numbers(loaded->spec().name, n, column_id);
  *binding = new hybrid_binding{
      {loaded, grid, {std::move(numbers), seed, reproducible != 0, hybrid::parse_policy(policy)}}};
}

void load(hybrid::Archive archive, const char *engine, const char *device, int n_thread,
          const char *precision, hybrid_closure **closure) {
  auto loaded = std::make_shared<const hybrid::Closure>(
      std::move(archive), engine, hybrid::EngineOptions{device, n_thread, precision});
  *closure = new hybrid_closure{std::move(loaded)};
}

const hybrid::Spec *spec_of(const hybrid_closure *closure) {
  return closure ? &closure->closure->spec() : nullptr;
}

const std::vector<hybrid::Field> *group_of(const hybrid_closure *closure, const char *group) {
  const auto *spec = spec_of(closure);
  if (!spec || !group) return nullptr;
  if (!std::strcmp(group, "inputs")) return &spec->inputs;
  if (!std::strcmp(group, "outputs")) return &spec->outputs;
  if (!std::strcmp(group, "state")) return &spec->state;
  if (!std::strcmp(group, "noise")) return &spec->noise;
  return nullptr;
}

const hybrid::Field *field_of(const hybrid_closure *closure, const char *name) {
  for (const char *group : {"inputs", "outputs", "state", "noise"})
    if (const auto *fields = name ? group_of(closure, group) : nullptr)
      for (const auto &field : *fields)
        if (field.name == name) return &field;
  return nullptr;
}

}  // namespace

const char *hybrid_last_error(void) { return hybrid::last_error(); }

const char *hybrid_version(void) { return HYBRID_VERSION; }

int hybrid_abi_version(void) { return HYBRID_ABI_VERSION; }

void hybrid_log_to(hybrid_log_function function, void *context) {
  hybrid::log_to(function, context);
}

int hybrid_device_count(const char *engine, const char *kind, int *count) {
  return hybrid::guarded([&] {
    require(count, "an address for the count");
    require(engine, "an engine name");
    require(kind, "a kind of device");
    *count = hybrid::device_count(engine, kind);
  });
}

int hybrid_local_device(const char *kind, int count, char *device, int size) {
  return hybrid::guarded([&] {
    require(kind, "a kind of device");
    require(device, "room for the name");
    const auto name = hybrid::local_device(kind, count);
    if (static_cast<int>(name.size()) >= size)
      throw hybrid::Error(HYBRID_ERROR_ARGUMENT, "device: expected room for " +
                                                     std::to_string(name.size() + 1) +
                                                     " bytes, got " + std::to_string(size));
    std::memcpy(device, name.c_str(), name.size() + 1);
  });
}

int hybrid_closure_load(const char *path, const char *engine, const char *device, int n_thread,
                        hybrid_closure **closure) {
  return hybrid_closure_load_precision(path, engine, device, n_thread, hybrid::full_precision,
                                       closure);
}

int hybrid_closure_load_precision(const char *path, const char *engine, const char *device,
                                  int n_thread, const char *precision, hybrid_closure **closure) {
  return hybrid::guarded([&] {
    require(closure, "an address for the closure");
    *closure = nullptr;
    require(path, "a path");
    require(engine, "an engine name");
    require(device, "a device");
    require(precision, "a precision");
    load(hybrid::read_archive(path), engine, device, n_thread, precision, closure);
  });
}

int hybrid_closure_load_memory(const void *bytes, int64_t n_bytes, const char *label,
                               const char *engine, const char *device, int n_thread,
                               hybrid_closure **closure) {
  return hybrid_closure_load_memory_precision(bytes, n_bytes, label, engine, device, n_thread,
                                              hybrid::full_precision, closure);
}

int hybrid_closure_load_memory_precision(const void *bytes, int64_t n_bytes, const char *label,
                                         const char *engine, const char *device, int n_thread,
                                         const char *precision, hybrid_closure **closure) {
  return hybrid::guarded([&] {
    require(closure, "an address for the closure");
    *closure = nullptr;
    require(bytes, "the bytes of an archive");
    require(label, "a label");
    require(engine, "an engine name");
    require(device, "a device");
    require(precision, "a precision");
    if (n_bytes < 0)
      throw hybrid::Error(
          HYBRID_ERROR_ARGUMENT,
          std::string(label) + ": expected a number of bytes, got " + std::to_string(n_bytes));
    const auto *first = static_cast<const char *>(bytes);
    load(hybrid::read_archive({first, first + n_bytes}, label), engine, device, n_thread, precision,
         closure);
  });
}

int hybrid_closure_retain(hybrid_closure *closure) { return retain(closure, "a loaded closure"); }

void hybrid_closure_free(hybrid_closure *closure) { release(closure); }

const char *hybrid_closure_manifest(const hybrid_closure *closure) {
  return closure ? closure->closure->manifest().c_str() : nullptr;
}

const char *hybrid_closure_describe(const hybrid_closure *closure) {
  return closure ? closure->closure->description().c_str() : nullptr;
}

int hybrid_closure_blocks(const hybrid_closure *closure, int64_t *sizes, int capacity) {
  int count = 0;
  if (!closure) return count;
  hybrid::guarded([&] {
    const auto blocks = closure->closure->blocks();
    for (int i = 0; sizes && i < capacity && i < static_cast<int>(blocks.size()); ++i)
      sizes[i] = blocks[static_cast<size_t>(i)].size;
    count = static_cast<int>(blocks.size());
  });
  return count;
}

int hybrid_closure_field_count(const hybrid_closure *closure, const char *group) {
  const auto *fields = group_of(closure, group);
  return fields ? static_cast<int>(fields->size()) : -1;
}

const char *hybrid_closure_field_name(const hybrid_closure *closure, const char *group, int index) {
  const auto *fields = group_of(closure, group);
  if (!fields || index < 0 || index >= static_cast<int>(fields->size())) return nullptr;
  return (*fields)[static_cast<size_t>(index)].name.c_str();
}

const char *hybrid_closure_field_units(const hybrid_closure *closure, const char *name) {
  const auto *field = field_of(closure, name);
  return field ? field->units.c_str() : nullptr;
}

int64_t hybrid_closure_field_size(const hybrid_closure *closure, const char *name) {
  const auto *field = field_of(closure, name);
  return field ? field->size() : -1;
}

int hybrid_binding_create(const hybrid_closure *closure, int64_t n_column, const int64_t *column_id,
                          uint64_t seed, int reproducible, const char *policy,
                          hybrid_binding **binding) {
  return hybrid::guarded(
      [&] { create(closure, n_column, column_id, nullptr, seed, reproducible, policy, binding); });
}

int hybrid_binding_create_grid(const hybrid_closure *closure, int64_t n_member,
                               const int64_t *member_id, const char *dims, const int64_t *sizes,
                               const double *spacing, const char *boundary, uint64_t seed,
                               int reproducible, const char *policy, hybrid_binding **binding) {
  return hybrid::guarded([&] {
    require(dims, "the names of the grid's dimensions");
    require(sizes, "the sizes of the grid");
    require(spacing, "the spacing of the grid");
    require(boundary, "the boundaries of the grid");
    const hybrid::GridView grid{dims, sizes, spacing, boundary};
    create(closure, n_member, member_id, &grid, seed, reproducible, policy, binding);
  });
}

int hybrid_binding_retain(hybrid_binding *binding) { return retain(binding, "a binding"); }

void hybrid_binding_free(hybrid_binding *binding) { release(binding); }

int hybrid_binding_bind(hybrid_binding *binding, const char *name, void *data, int kind, int rank,
                        const int64_t *shape, const int64_t *stride, const char *dims,
                        const char *units, int accumulate) {
  return hybrid::guarded([&] {
    auto &bound = checked(binding);
    bound.bind(name, view_of(name, data, kind, rank, shape, stride, dims, units, accumulate));
  });
}

int hybrid_binding_run(hybrid_binding *binding, int64_t step) {
  return hybrid::guarded([&] { checked(binding).run(step); });
}

int hybrid_binding_put(hybrid_binding *binding, const char *name, const void *data, int kind,
                       int rank, const int64_t *shape, const int64_t *stride, const char *dims,
                       const char *units) {
  return hybrid::guarded([&] {
    auto &used = checked(binding);
    used.put(name, view_of(name, data, kind, rank, shape, stride, dims, units, 0));
  });
}

int hybrid_binding_apply(hybrid_binding *binding, int64_t step) {
  return hybrid::guarded([&] { checked(binding).apply(step); });
}

int hybrid_binding_get(hybrid_binding *binding, const char *name, void *data, int kind, int rank,
                       const int64_t *shape, const int64_t *stride, const char *dims,
                       const char *units, int accumulate) {
  return hybrid::guarded([&] {
    auto &used = checked(binding);
    used.get(name, view_of(name, data, kind, rank, shape, stride, dims, units, accumulate));
  });
}

int hybrid_binding_chunk(hybrid_binding *binding, int64_t n_column, const int64_t *column_id) {
  return hybrid::guarded([&] {
    auto &used = checked(binding);
    used.chunk(column_numbers(used.spec().name, n_column, column_id));
  });
}

int hybrid_binding_commit(hybrid_binding *binding) {
  return hybrid::guarded([&] { checked(binding).commit(); });
}

int hybrid_binding_tendency(void *context, int64_t step, int64_t stage, const void * /*fields*/,
                            void * /*tendency*/, const int64_t *sizes) {
  auto *binding = static_cast<hybrid_binding *>(context);
  const int status = hybrid::guarded([&] {
    auto &bound = checked(binding);
    require(sizes, "sizes");
    const int64_t stages = sizes[HYBRID_TENDENCY_STAGES];
    if (stage < 0 || stage >= stages)
      throw hybrid::Error(HYBRID_ERROR_ARGUMENT,
                          "stage: expected a number from 0 to " + std::to_string(stages - 1) +
                              ", the last stage of a step, got " + std::to_string(stage));
    bound.run(step);
    if (stage == stages - 1) bound.commit();
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
    const auto &found = checked(binding).guard().mask();
    if (n != 0) require(mask, "an array for the mask");
    if (n != static_cast<int64_t>(found.size()))
      throw hybrid::Error(HYBRID_ERROR_SHAPE, "mask and reasons: expected " +
                                                  std::to_string(found.size()) + " columns, got " +
                                                  std::to_string(n));
    std::copy(found.begin(), found.end(), mask);
  });
}

int hybrid_binding_threshold(hybrid_binding *binding, double threshold) {
  return hybrid::guarded([&] { checked(binding).guard().set_threshold(threshold); });
}

int hybrid_binding_counts(const hybrid_binding *binding, const char *name, int64_t *evaluated,
                          int64_t counts[HYBRID_REASONS]) {
  return hybrid::guarded([&] {
    const auto &guard = checked(binding).guard();
    const int64_t *found = guard.counts(name ? name : "");
    if (evaluated) *evaluated = guard.evaluated();
    if (counts) std::copy(found, found + HYBRID_REASONS, counts);
  });
}

const char *hybrid_binding_summary(hybrid_binding *binding) {
  if (!binding) return nullptr;
  hybrid::guarded([&] { binding->summary = binding->binding.guard().summary(); });
  return binding->summary.c_str();
}

int hybrid_binding_timers(const hybrid_binding *binding, int64_t *n_run, double *packing,
                          double *engine, double *unpacking) {
  return hybrid::guarded([&] {
    const auto &timers = checked(binding).timers();
    const auto set = [](double *seconds, int64_t passed) {
      if (seconds) *seconds = hybrid::seconds_of(passed);
    };
    if (n_run) *n_run = timers.n_run;
    set(packing, timers.packing);
    set(engine, timers.engine);
    set(unpacking, timers.unpacking);
  });
}

int hybrid_binding_ramp(hybrid_binding *binding, const char *name, double from, double to,
                        int64_t first, int64_t last) {
  return hybrid::guarded([&] {
    auto &used = checked(binding);
    require(name, "a field name");
    used.set_ramp(name, {from, to, first, last});
  });
}

int hybrid_binding_partial(hybrid_binding *binding, const char *name, const double *element,
                           int64_t n_element, const double *column, int64_t n_column) {
  return hybrid::guarded([&] {
    auto &used = checked(binding);
    require(name, "a field name");
    used.set_partial(name, element, n_element, column, n_column);
  });
}

int hybrid_binding_differences(const hybrid_binding *binding, const char *name, int64_t *count,
                               double *mean, double *rms, double *largest, int64_t n) {
  return hybrid::guarded([&] {
    const auto &used = checked(binding);
    require(name, "a field name");
    const auto *share = used.share(name);
    if (!share)
      throw hybrid::Error(HYBRID_ERROR_ORDER, std::string(name) + ": expected an output with a " +
                                                  "ramp, got none; call shadow, ramp or partial " +
                                                  "for it before run");
    const auto &found = share->differences();
    if (n != static_cast<int64_t>(found.size()))
      throw hybrid::Error(HYBRID_ERROR_SHAPE, std::string(name) + ": expected room for " +
                                                  std::to_string(found.size()) + " elements, got " +
                                                  std::to_string(n));
    for (size_t i = 0; i < found.size(); ++i) {
      if (count) count[i] = found[i].count;
      if (mean) mean[i] = found[i].mean;
      if (rms) rms[i] = std::sqrt(found[i].square);
      if (largest) largest[i] = found[i].largest;
    }
  });
}

int hybrid_binding_state_get(const hybrid_binding *binding, const char *name, double *values,
                             int64_t n) {
  return hybrid::guarded([&] {
    const auto &used = checked(binding);
    require(name, "a field name");
    if (n != 0) require(values, "an array");
    used.state_get(name, values, n);
  });
}

int hybrid_binding_state_set(hybrid_binding *binding, const char *name, const double *values,
                             int64_t n) {
  return hybrid::guarded([&] {
    auto &used = checked(binding);
    require(name, "a field name");
    if (n != 0) require(values, "an array");
    used.state_set(name, values, n);
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
