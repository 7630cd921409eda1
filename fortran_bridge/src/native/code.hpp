// What a program is turned into at load: instructions on rows of numbers, ready to run.
//
// Only plain types and no functions with bodies: kernels are compiled once for each instruction
// set, and a function that two of these objects share could bring instructions of the one to a
// processor that has those of the other only.
#pragma once

#include <stdint.h>

namespace hybrid_native {

// Of the numbers of a value.
enum class Type : int32_t { float32, float64 };

enum class Operation : int32_t {
  add,
  subtract,
  subtract_from,  // with - x
  multiply,
  divide,
  divide_into,  // with / x
  minimum,
  maximum,
  less,  // comparisons: 1 where they hold, else 0
  greater,
  less_equal,
  greater_equal,
  equal,
  relu,
  leaky_relu,
  elu,
  sigmoid,
  silu,
  tanh,
  gelu,
  gelu_tanh,
  exp,
  log,
  sqrt,
  negative,
  absolute,
  reciprocal,
  square,
  clamp_low,
  clamp_high,
  power
};

// An operation on each number of a value, with a second operand or without.
struct Elementwise {
  enum class With : int32_t { nothing, constants, values };
  Operation operation;
  With with = With::nothing;
  const void *constants = nullptr;  // With::constants: one a feature, or one for all
  int64_t row = 0;                  // With::values: where they begin
  int64_t step = 0;                 // 1: one operand a feature, 0: one for all
  double number = 0.0;              // slope, alpha or bound
  int32_t exponent = 0;
};

struct Gate;

// A value is a matrix of features by columns. Its first row is a multiple of `row_unit` but where
// it is a part of another one. Rows are of float32: a feature in float64 has two of them.
struct Instruction {
  enum class Kind : int32_t {
    load,
    fill,
    move,
    linear,
    gather,
    select,
    layer_norm,
    sum,
    cast,
    gate,
    store
  };
  Kind kind;
  Type type;                 // of the result; cast: the operand is of the other one
  int32_t n_after;           // elementwise operations on the result
  const Elementwise *after;  // the first of them
  int64_t from, to;          // rows
  int64_t size;              // features of the result
  int64_t n_in;              // linear: features of the operand; load, store: number of the field
  int64_t n_group;           // layer_norm, sum: features in a group
  const void *weight;        // linear: panels; layer_norm: one a feature, or null; fill: constants
  const void *bias;          // layer_norm: one a feature, or null
  const int32_t *index;      // gather
  const Gate *gate;          // gate: what is done where the operand is not 0
  int64_t choice[2];  // select: rows of what is taken where the operand is not 0, and where it is
  int64_t step[3];    // select: of operand and choices; 1: one a feature, 0: one for all
  double epsilon;     // layer_norm
  // linear: whether products are of bf16, see bf16.hpp; then weights are pairs of them, and there
  // is room for pairs of operands from this row on.
  bool is_reduced;
  int64_t scratch;
};

struct Code {
  const Instruction *instructions;
  int64_t n_instruction;
};

// Rows of a value.
struct Rows {
  int64_t first, n;
};

// Instructions for some of the columns, with one argument and one result, each made of several
// values, all in float32.
struct Gate {
  Code code;
  const Rows *inputs, *outputs;
  int64_t n_input, n_output;
  int64_t n_feature_in, n_feature_out;  // of all of them together
  int64_t n_row;                        // of its workspace
  int64_t scratch;                      // row from which on there is room for this and for both
};

// Columns that are evaluated together.
struct Columns {
  const void *const *arguments;  // [n][features] each, of the first of these columns
  void *const *results;
  int64_t n;
  int64_t stride;  // numbers from feature to feature: n with padding; 1 for a single column
  float *rows;     // workspace
};

// Values begin at multiples of this, and vectors may be read and written up to the next one.
constexpr int64_t row_unit = 16;

// Columns of a block at most.
constexpr int64_t largest_block = 48;

// Outputs of a panel: one bias each, then one weight each for every input.
constexpr int64_t panel_height = 8;

// One instruction set.
struct Kernels {
  const char *name;
  int64_t lanes;                                          // of its vectors
  int64_t block;                                          // columns evaluated together at most
  int64_t block_of_many;                                  // the same where there are more of them
  void (*run)(const Code *code, const Columns *columns);  // allocates nothing
};

#if defined(__x86_64__)
extern const Kernels kernels_v4bf16, kernels_v4, kernels_v3;
#endif
extern const Kernels kernels_base;

}  // namespace hybrid_native
