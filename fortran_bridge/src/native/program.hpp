// A native program as an archive holds it: steps on the columns' numbers, one value each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "code.hpp"
#include "hybrid_engine.h"

namespace hybrid_native {

// Bounds of a program, stated in FORMAT.md: what a small file can make the engine allocate and
// spend.
constexpr int64_t most_steps = 65536;
constexpr int64_t most_tensors = 65536;
constexpr int64_t largest_value = int64_t{1} << 24;   // numbers of a column
constexpr int64_t largest_values = int64_t{1} << 26;  // of all values together
constexpr int64_t most_weights = int64_t{1} << 28;    // of all linear steps together
constexpr int64_t largest_exponent = 65536;

// Numbers of the archive, at any address: row by row, or a matrix column by column.
struct Tensor {
  std::vector<int64_t> shape;
  const unsigned char *bytes;
  bool is_transposed = false;
  Type type = Type::float32;

  int64_t size() const;
  size_t item() const { return type == Type::float64 ? sizeof(double) : sizeof(float); }
  // Copies `count` numbers, counted row by row, from number `first` on.
  void copy(int64_t first, int64_t count, void *to) const;
};

struct Step {
  enum class Kind {
    input,
    constant,
    linear,
    elementwise,
    select,
    gather,
    concatenate,
    layer_norm,
    sum,
    cast
  };
  Kind kind;
  std::string op;                      // as the archive names it
  Type type = Type::float32;           // of the value
  int64_t size = 0;                    // of the value
  std::vector<int64_t> operands = {};  // numbers of earlier steps
  int64_t argument = -1;               // input
  int64_t tensor = -1;                 // constant: its values; linear, layer_norm: the weight
  int64_t bias = -1;
  int64_t n_group = 0;       // layer_norm, sum
  Operation operation = {};  // elementwise
  double number = 0.0;       // slope, alpha
  int32_t exponent = 0;
  std::optional<double> low = {}, high = {};  // clamp
  double epsilon = 0.0;
  std::vector<int32_t> index = {};  // gather
};

struct Program {
  std::vector<Tensor> tensors;
  std::vector<Step> steps;
  std::vector<int64_t> results;  // steps
};

// Content of an entry of the archive; none if there is none of this name.
using Entries = std::function<std::optional<std::string_view>(const std::string &)>;

// A field that a program is for.
struct FieldForm {
  int64_t size;
  Type type;
};
struct Forms {
  std::vector<FieldForm> arguments, results;
};

// Reads and checks `extra/native.json`; throws std::runtime_error saying what was expected. The
// tensors point into the archive.
Program read_program(const Entries &entries, const Forms &fields);

}  // namespace hybrid_native
