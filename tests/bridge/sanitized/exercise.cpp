#include "exercise.hpp"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "guarded_array.hpp"
#include "spec.hpp"

namespace exercise {

namespace {

using hybrid::Field;
using hybrid::Spec;

constexpr int64_t n_column = 5;
constexpr int64_t n_chunk = 3;
constexpr int64_t points = 4;  // along a dimension that the manifest leaves open

[[noreturn]] void fail(const std::string &what) {
  std::fprintf(stderr, "exercise: %s\n", what.c_str());
  std::abort();
}

struct Binding {
  hybrid_binding *handle = nullptr;
  Binding() = default;
  Binding(const Binding &) = delete;
  Binding &operator=(const Binding &) = delete;
  ~Binding() { hybrid_binding_free(handle); }
};

std::string joined(const std::vector<std::string> &names) {
  std::string text;
  for (const auto &name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

class Host {
 public:
  Host(const Spec &spec, unsigned variant) : spec_(spec), variant_(variant) { open_dims(); }

  bool create(const hybrid_closure *closure, Binding &binding) const {
    constexpr const char *policies[] = {"error", "flag", "clip", "zero", "host"};
    const char *policy = policies[variant_ % 5];
    const int reproducible = variant_ / 5 % 2;
    if (!spec_.grid)
      return hybrid_binding_create(closure, n_column, nullptr, 7, reproducible, policy,
                                   &binding.handle) == HYBRID_OK;
    return hybrid_binding_create_grid(closure, n_column, nullptr, joined(grid_dims_).c_str(),
                                      sizes_.data(), spec_.grid->spacing.data(),
                                      joined(spec_.grid->boundary).c_str(), 7, reproducible, policy,
                                      &binding.handle) == HYBRID_OK;
  }

  std::string dims(const Field &field) const {
    auto names = field.dims;
    names.insert(names.begin(), spec_.first_axis());
    return joined(names);
  }

  std::unique_ptr<GuardedArray> array(const Field &field, bool is_input, int64_t columns,
                                      unsigned number) const {
    std::vector<int64_t> shape{columns};
    for (size_t dim = 0; dim < field.dims.size(); ++dim) {
      const auto open = halo_.find(field.dims[dim]);
      const bool has_halo = is_input && open != halo_.end() && open->second;
      const int64_t halo = has_halo ? 2 * spec_.grid->halo_width : 0;
      const bool is_open = field.shape[dim] == hybrid::any_size;
      shape.push_back(is_open ? points + halo : field.shape[dim]);
    }
    const auto layout = static_cast<Layout>((variant_ + number) % n_layout);
    const int kind = (variant_ / 4 + number) % 2 ? HYBRID_FLOAT32 : HYBRID_FLOAT64;
    return std::make_unique<GuardedArray>(shape, kind, layout, value(number));
  }

 private:
  void open_dims() {
    if (!spec_.grid) return;
    const auto &field = spec_.outputs.front();
    const size_t rank = spec_.grid->spacing.size();
    for (size_t i = 0; i < rank && rank <= field.dims.size(); ++i) {
      const size_t dim = field.dims.size() - rank + i;
      grid_dims_.push_back(field.dims[dim]);
      halo_[field.dims[dim]] = spec_.grid->boundary[i] == "halo";
      sizes_.push_back(field.shape[dim] == hybrid::any_size ? points : field.shape[dim]);
    }
    sizes_.resize(rank, points);
  }

  double value(unsigned number) const {
    if (variant_ / 16 % 4 == 1 && number == 0) return std::numeric_limits<double>::quiet_NaN();
    if (variant_ / 16 % 4 == 2) return 1e30;
    return 1.5 + number;
  }

  const Spec &spec_;
  unsigned variant_;
  std::vector<std::string> grid_dims_;
  std::map<std::string, bool> halo_;
  std::vector<int64_t> sizes_;
};

void check(const GuardedArray &array, bool is_input, const std::string &name) {
  if (!array.surroundings_intact()) fail(name + ": written outside the array");
  if (is_input && !array.elements_intact()) fail(name + ": input written");
}

void put_apply_get(const Spec &spec, const Host &host, hybrid_binding *binding, int64_t columns) {
  unsigned number = 0;
  for (const auto &field : spec.inputs) {
    const auto array = host.array(field, true, columns, number++);
    hybrid_binding_put(binding, field.name.c_str(), array->data(), array->kind(), array->rank(),
                       array->shape(), array->stride(), host.dims(field).c_str(),
                       field.units.c_str());
    check(*array, true, field.name);
  }
  const bool is_applied = hybrid_binding_apply(binding, 3) == HYBRID_OK;
  for (const auto &field : spec.outputs) {
    const auto array = host.array(field, false, columns, number++);
    const int status =
        hybrid_binding_get(binding, field.name.c_str(), array->data(), array->kind(), array->rank(),
                           array->shape(), array->stride(), host.dims(field).c_str(),
                           field.units.c_str(), static_cast<int>(number % 2));
    check(*array, false, field.name);
    if (status == HYBRID_OK && !is_applied) fail(field.name + ": results without apply");
  }
}

void bind_run_commit(const Spec &spec, const Host &host, hybrid_binding *binding) {
  std::vector<std::pair<const Field *, std::unique_ptr<GuardedArray>>> arrays;
  unsigned number = 0;
  for (const auto *fields : {&spec.inputs, &spec.outputs})
    for (const auto &field : *fields) {
      const bool is_input = fields == &spec.inputs;
      arrays.emplace_back(&field, host.array(field, is_input, n_column, number++));
      auto &array = *arrays.back().second;
      hybrid_binding_bind(binding, field.name.c_str(), array.data(), array.kind(), array.rank(),
                          array.shape(), array.stride(), host.dims(field).c_str(),
                          field.units.c_str(), 0);
      if (!is_input) hybrid_binding_ramp(binding, field.name.c_str(), 0.0, 1.0, 1, 3);
    }
  const int64_t sizes[HYBRID_TENDENCY_SIZES] = {8, 1, 1, 1, 1, 1, 1};
  for (int64_t step = 1; step <= 3; ++step) {
    hybrid_binding_run(binding, step);
    hybrid_binding_commit(binding);
  }
  hybrid_binding_tendency(binding, 4, 0, nullptr, nullptr, sizes);
  for (size_t i = 0; i < arrays.size(); ++i)
    check(*arrays[i].second, i < spec.inputs.size(), arrays[i].first->name);
}

void ask(const Spec &spec, const hybrid_closure *closure, hybrid_binding *binding) {
  if (!*hybrid_closure_describe(closure)) fail("no description");
  for (const char *group : {"inputs", "outputs", "state", "noise"}) {
    const int count = hybrid_closure_field_count(closure, group);
    for (int i = 0; i < count; ++i) {
      const char *name = hybrid_closure_field_name(closure, group, i);
      if (!hybrid_closure_field_units(closure, name) ||
          hybrid_closure_field_size(closure, name) < 1)
        fail("a field without units or size");
    }
  }
  unsigned char mask[n_column];
  int64_t evaluated = 0, counts[HYBRID_REASONS];
  hybrid_binding_mask(binding, mask, n_column);
  hybrid_binding_counts(binding, nullptr, &evaluated, counts);
  hybrid_binding_threshold(binding, 0.25);
  if (!*hybrid_binding_summary(binding)) fail("no summary");
  for (const auto &field : spec.state) {
    std::vector<double> values(static_cast<size_t>(n_column * field.size()));
    const auto n = static_cast<int64_t>(values.size());
    hybrid_binding_state_get(binding, field.name.c_str(), values.data(), n);
    hybrid_binding_state_set(binding, field.name.c_str(), values.data(), n);
  }
}

}  // namespace

void use(const hybrid_closure *closure, unsigned variant) {
  const Spec spec = hybrid::parse_manifest(hybrid_closure_manifest(closure));
  const Host host(spec, variant);
  Binding chunked, kept;
  if (!host.create(closure, chunked) || !host.create(closure, kept)) return;
  put_apply_get(spec, host, chunked.handle, n_column);
  if (hybrid_binding_chunk(chunked.handle, n_chunk, nullptr) == HYBRID_OK)
    put_apply_get(spec, host, chunked.handle, n_chunk);
  bind_run_commit(spec, host, kept.handle);
  ask(spec, closure, kept.handle);
}

}  // namespace exercise
