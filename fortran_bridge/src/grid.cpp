#include "grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "error.hpp"
#include "names.hpp"

namespace hybrid {

namespace {

constexpr double largest_difference = 1e-6;  // relative, of spacings
constexpr int64_t most_points = int64_t{1} << 30;

struct Axis {
  int64_t size;
  bool has_halo;
};

[[noreturn]] void refuse(const Spec &spec, const std::string &message) {
  throw Error(HYBRID_ERROR_SHAPE, spec.name + ": " + message);
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

// The grid's dimensions are the last ones of the first output, in the order of its spacing.
std::vector<std::string> grid_dims(const Spec &spec) {
  const auto rank = static_cast<std::ptrdiff_t>(spec.grid->spacing.size());
  const auto &dims = spec.outputs.front().dims;
  return {dims.end() - rank, dims.end()};
}

std::map<std::string, Axis> axes_of(const Spec &spec, const GridView &view) {
  const auto expected = grid_dims(spec);
  const auto names = split(view.dims);
  const auto boundaries = split(view.boundary);
  if (names.size() != expected.size() || boundaries.size() != expected.size())
    refuse(spec, "expected one name and one boundary for each dimension of the grid (" +
                     joined(expected) + "), got '" + view.dims + "' and '" + view.boundary + "'");
  std::map<std::string, Axis> axes;
  for (size_t dim = 0; dim < expected.size(); ++dim) {
    const auto found = std::find(names.begin(), names.end(), expected[dim]);
    if (found == names.end())
      refuse(spec, "expected grid dimensions " + joined(expected) + ", got '" + view.dims + "'");
    const auto at = static_cast<size_t>(found - names.begin());
    if (view.sizes[at] < 1 || view.sizes[at] > most_points)
      refuse(spec, "expected a positive number of points along '" + expected[dim] + "', got " +
                       std::to_string(view.sizes[at]));
    const double trained = spec.grid->spacing[dim];
    if (!(std::abs(view.spacing[at] - trained) <= largest_difference * std::abs(trained)))
      refuse(spec, "expected a grid with spacing " + number(trained) + " along '" + expected[dim] +
                       "', for which the closure was trained, got " + number(view.spacing[at]) +
                       "; train it for this grid");
    const auto &boundary = spec.grid->boundary[dim];
    if (boundaries[at] != boundary)
      refuse(spec, "expected boundary '" + boundary + "' along '" + expected[dim] + "', got '" +
                       boundaries[at] + "'; export the closure for this boundary");
    axes[expected[dim]] = {view.sizes[at], boundary == "halo"};
  }
  return axes;
}

void fix(const Spec &spec, const std::map<std::string, Axis> &axes, bool is_input,
         std::vector<Field> &fields) {
  for (auto &field : fields)
    for (size_t dim = 0; dim < field.dims.size(); ++dim) {
      auto &size = field.shape[dim];
      const auto axis = axes.find(field.dims[dim]);
      if (axis == axes.end()) continue;
      const int64_t halo = is_input && axis->second.has_halo ? 2 * spec.grid->halo_width : 0;
      const int64_t wanted = axis->second.size + halo;
      if (size != any_size && size != wanted)
        refuse(spec, field.name + ": expected " + std::to_string(size - halo) + " points along '" +
                         field.dims[dim] + "', got " + std::to_string(axis->second.size) +
                         "; export the closure with open sizes or for this grid");
      size = wanted;
      if (halo > 0) {
        field.halo.resize(field.dims.size());
        field.halo[dim] = spec.grid->halo_width;
      }
    }
  for (const auto &field : fields) {
    int64_t total = 1;
    for (const auto size : field.shape) {
      if (size > most_points / total)
        refuse(spec, field.name + ": expected at most " + std::to_string(most_points) +
                         " elements a member");
      total *= size;
    }
  }
}

[[noreturn]] void refuse_fields(const std::string &message) {
  throw Error(HYBRID_ERROR_ARCHIVE, "hybrid.json: " + message + "; export the closure again");
}

}  // namespace

void check_grid(const Spec &spec) {
  const size_t rank = spec.grid->spacing.size();
  const auto &first = spec.outputs.front();
  if (first.dims.size() < rank)
    refuse_fields(first.name + ": expected the " + std::to_string(rank) +
                  " dimensions of the grid as the last ones of the first output, got dims '" +
                  joined(first.dims) + "'");
  const auto names = grid_dims(spec);
  std::vector<int64_t> points(rank, any_size);
  for (const auto *fields : {&spec.inputs, &spec.outputs, &spec.state, &spec.noise})
    for (const auto &field : *fields)
      for (size_t dim = 0; dim < field.dims.size(); ++dim) {
        const auto axis = static_cast<size_t>(
            std::find(names.begin(), names.end(), field.dims[dim]) - names.begin());
        const int64_t size = field.shape[dim];
        if (size == any_size && axis == rank)
          refuse_fields(field.name + ": expected a size for '" + field.dims[dim] +
                        "', got null; only dimensions of the grid may be open, here '" +
                        joined(names) + "'");
        if (size == any_size || axis == rank) continue;
        const bool has_halo = fields == &spec.inputs && spec.grid->boundary[axis] == "halo";
        const int64_t inside = size - (has_halo ? 2 * spec.grid->halo_width : 0);
        if (inside < 1 || (points[axis] != any_size && inside != points[axis]))
          refuse_fields(field.name + ": expected " +
                        (points[axis] == any_size ? "at least 1" : std::to_string(points[axis])) +
                        " points along '" + field.dims[dim] + "' without halo, got " +
                        std::to_string(inside));
        points[axis] = inside;
      }
}

Spec on_grid(const Spec &spec, const GridView &view) {
  if (!spec.grid)
    throw Error(HYBRID_ERROR_ARGUMENT,
                spec.name + ": expected a grid closure, got one of columns; create its binding " +
                    "without a grid");
  const auto axes = axes_of(spec, view);
  Spec fixed = spec;
  fix(spec, axes, true, fixed.inputs);
  for (auto *fields : {&fixed.outputs, &fixed.state, &fixed.noise}) fix(spec, axes, false, *fields);
  for (const auto &fields : {fixed.arguments(), fixed.results()})
    for (const auto &field : fields)
      for (const auto *bounds : {&field.valid_min, &field.valid_max})
        if (bounds->size() > 1 && static_cast<int64_t>(bounds->size()) != field.size())
          refuse(spec, field.name + ": expected one bound, or one for each of " +
                           std::to_string(field.size()) + " elements");
  return fixed;
}

}  // namespace hybrid
