// The grid of the host, and what a grid closure was trained for.
#pragma once

#include <cstdint>
#include <string>

#include "spec.hpp"

namespace hybrid {

// What a host says of its grid: one entry a dimension, names separated by commas.
struct GridView {
  const char *dims;
  const int64_t *sizes;
  const double *spacing;
  const char *boundary;
};

// Throws if the fields of a grid closure cannot all lie on one grid: the first output lacks its
// dimensions, others than these have no size, or sizes are of grids that differ.
void check_grid(const Spec &spec);

// The specification with all sizes fixed: those of the host's grid, inputs with their halo. Throws
// with what was expected if the grid is not one that the closure was trained for.
Spec on_grid(const Spec &spec, const GridView &grid);

}  // namespace hybrid
