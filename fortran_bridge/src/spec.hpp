// The closure specification as the core needs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hybrid.h"

namespace hybrid {

constexpr int64_t any_size = -1;

// Bounds of a manifest, stated in FORMAT.md. Elements of all fields together, a column or member:
// what a small file can make the bridge allocate at load, where a self-test runs columns that no
// host asked for.
constexpr int64_t largest_column = int64_t{1} << 20;
constexpr int64_t largest_member = int64_t{1} << 24;
constexpr size_t most_fields = 256;  // inputs, outputs, state and noise together
constexpr size_t most_dims = 14;     // Fortran arrays have 15 with the column
constexpr size_t longest_text = 255;
constexpr int64_t widest_halo = 1024;

struct Field {
  std::string name;
  std::string units;
  std::vector<std::string> dims;
  std::vector<int64_t> shape;  // any_size where it is fixed at bind
  hybrid_kind kind = HYBRID_FLOAT32;
  std::vector<double> valid_min;  // empty: unchecked; one value or one per element
  std::vector<double> valid_max;
  std::string role;                // "confidence": compared with a threshold by the guard
  std::vector<int64_t> halo = {};  // of an input: points beyond each end of a dim; empty: none

  bool has_fixed_shape() const;
  bool has_bounds() const { return !valid_min.empty() && !valid_max.empty(); }
  int64_t size() const;  // elements a column
};

// The mesh that a grid closure was made for; one spacing and one boundary a dimension.
struct Grid {
  std::vector<double> spacing;
  std::vector<std::string> boundary;  // "periodic", "wall" or "halo"
  int64_t halo_width = 0;             // neighbours needed on each side
};

// Of the online test of a precision below float32: "passed" or "failed", or "on trial" while it
// runs; empty: there was none.
struct PrecisionVerdict {
  std::string verdict = {};
  std::string reason = {};
};

struct Spec {
  std::string name;
  std::string version;
  std::string locality;
  std::string engine;
  std::string native_reason = {};  // why there is no native program; may be empty
  PrecisionVerdict bf16 = {};
  std::vector<Field> inputs, outputs, state, noise;
  std::optional<Grid> grid;  // with locality "grid", and only then

  // "column", or "member" for grids: the name of the implicit first axis.
  std::string first_axis() const { return locality == "grid" ? "member" : "column"; }
  std::vector<Field> arguments() const;  // inputs, state, noise
  std::vector<Field> results() const;    // outputs, new state
};

// Inputs and state that lack valid_min or valid_max, of whose values nobody knows what they are.
std::vector<std::string> fields_without_bounds(const Spec &spec);

// Reads `hybrid.json`; refuses another major format version by name, and whatever breaks the
// bounds above.
Spec parse_manifest(const std::string &json);

}  // namespace hybrid
