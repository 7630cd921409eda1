// The closure specification as the core needs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hybrid.h"

namespace hybrid {

constexpr int64_t any_size = -1;
constexpr int64_t largest_field = int64_t{1} << 28;  // elements a column; refuses absurd manifests

struct Field {
  std::string name;
  std::string units;
  std::vector<std::string> dims;
  std::vector<int64_t> shape;  // any_size where it is fixed at bind
  hybrid_kind kind = HYBRID_FLOAT32;
  std::vector<double> valid_min;  // empty: unchecked; one value or one per element
  std::vector<double> valid_max;

  bool has_fixed_shape() const;
  int64_t size() const;  // elements a column
};

struct Spec {
  std::string name;
  std::string version;
  std::string locality;
  std::string engine;
  std::vector<Field> inputs, outputs, state, noise;

  // "column", or "member" for grids: the name of the implicit first axis.
  std::string first_axis() const { return locality == "grid" ? "member" : "column"; }
  std::vector<Field> arguments() const;  // inputs, state, noise
  std::vector<Field> results() const;    // outputs, new state
};

// Reads `hybrid.json`; refuses another major format version by name.
Spec parse_manifest(const std::string &json);

}  // namespace hybrid
