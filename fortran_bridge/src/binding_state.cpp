// The committed state of a binding, read and replaced for restarts.

#include <algorithm>
#include <cmath>

#include "binding.hpp"
#include "error.hpp"
#include "kinds.hpp"
#include "names.hpp"

namespace hybrid {

size_t Binding::state_index(const std::string &name, int64_t n) const {
  const auto found = std::find_if(spec_.state.begin(), spec_.state.end(),
                                  [&](const Field &field) { return field.name == name; });
  if (found == spec_.state.end()) {
    std::vector<std::string> names;
    for (const auto &field : spec_.state) names.push_back(field.name);
    throw Error(HYBRID_ERROR_FIELD, name + ": no such state field in closure " + spec_.name +
                                        "; expected one of " +
                                        (names.empty() ? "none" : joined(names, ", ")));
  }
  const int64_t expected = n_column() * found->size();
  if (n != expected)
    throw Error(HYBRID_ERROR_SHAPE, name + ": expected " + std::to_string(expected) +
                                        " values (columns times elements), got " +
                                        std::to_string(n));
  return static_cast<size_t>(found - spec_.state.begin());
}

void Binding::state_get(const std::string &name, double *values, int64_t n) const {
  const size_t index = state_index(name, n);
  with_kind(spec_.state[index].kind, [&]<class Real>(Real) {
    const auto *kept = reinterpret_cast<const Real *>(state_.row(index, 0));
    std::copy(kept, kept + n, values);
  });
}

void Binding::state_set(const std::string &name, const double *values, int64_t n) {
  const size_t index = state_index(name, n);
  with_kind(spec_.state[index].kind, [&]<class Real>(Real) {
    if (!std::all_of(values, values + n,
                     [](double value) { return std::isfinite(static_cast<Real>(value)); }))
      throw Error(HYBRID_ERROR_VALUE,
                  name + ": expected values that are finite in the closure's precision");
    std::transform(values, values + n, reinterpret_cast<Real *>(state_.row(index, 0)),
                   [](double value) { return static_cast<Real>(value); });
  });
  has_new_state_ = false;
}

}  // namespace hybrid
