// The interpreter of instructions and its arithmetic; compiled once for each instruction set.
//
// Nothing is included that brings functions with it: see code.hpp.

#include "code.hpp"
#include "double_matrix.hpp"
#include "elementwise.hpp"
#include "groups.hpp"
#include "matrix.hpp"
#include "movement.hpp"
#if defined(HYBRID_KERNELS_BF16)
#include "matrix_bf16.hpp"
#endif

#if defined(HYBRID_KERNELS_BF16)
#define HYBRID_KERNELS kernels_v4bf16
#define HYBRID_KERNELS_NAME "x86-64-v4 with bf16"
#elif defined(HYBRID_KERNELS_V4)
#define HYBRID_KERNELS kernels_v4
#define HYBRID_KERNELS_NAME "x86-64-v4"
#elif defined(HYBRID_KERNELS_V3)
#define HYBRID_KERNELS kernels_v3
#define HYBRID_KERNELS_NAME "x86-64-v3"
#elif defined(__x86_64__)
#define HYBRID_KERNELS kernels_base
#define HYBRID_KERNELS_NAME "x86-64"
#elif defined(__aarch64__)
#define HYBRID_KERNELS kernels_base
#define HYBRID_KERNELS_NAME "aarch64"
#else
#define HYBRID_KERNELS kernels_base
#define HYBRID_KERNELS_NAME "generic"
#endif

namespace hybrid_native {

namespace {

// Features that are worked on while they are in the first cache.
constexpr int64_t slab = 8;

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void run(const Code *code, const Columns *columns);

// Numbers from feature to feature of some columns of a block: no more than of the whole block.
constexpr int64_t stride_of(int64_t n) {
  constexpr int64_t narrow = 8, wide = lanes > narrow ? lanes : narrow;
  if (n <= 1) return 1;
  return n <= narrow ? narrow : (n + wide - 1) / wide * wide;
}

// Runs the instructions of a gate for the columns whose condition is not 0; those of the others
// keep whatever was there.
void run_gate(const Instruction &step, const Columns &columns) {
  const Gate &gate = *step.gate;
  const float *condition = columns.rows + step.from * columns.stride;
  int64_t chosen[largest_block];
  int64_t n = 0;
  for (int64_t column = 0; column < columns.n; ++column)
    if (condition[column] != 0.0f) chosen[n++] = column;
  if (n == 0) return;
  float *rows = columns.rows + gate.scratch * columns.stride;
  float *features = rows + (gate.n_row + row_unit) * columns.stride;
  float *const found = features + gate.n_feature_in * n;
  take_columns(gate.inputs, gate.n_input, columns.rows, columns.stride, chosen, n, features,
               gate.n_feature_in);
  const void *const given = features;
  void *const wanted = found;
  const Columns some{&given, &wanted, n, stride_of(n), rows};
  run(&gate.code, &some);
  put_columns(gate.outputs, gate.n_output, columns.rows, columns.stride, chosen, n, found,
              gate.n_feature_out);
}

// All operations that follow an instruction, on some features of its result. The first may read
// from elsewhere.
template <int n, class Number>
void apply_after(const Instruction &step, const Columns &columns, const Number *from, int64_t first,
                 int64_t count) {
  const int64_t stride = columns.stride;
  Number *to = value_at<Number>(columns, step.to) + first * stride;
  for (int32_t i = 0; i < step.n_after; ++i, from = to) {
    const auto &after = step.after[i];
    const int64_t feature = first * after.step;
    const Number *with = value_at<const Number>(columns, after.row) + feature * stride;
    if (after.with == Elementwise::With::nothing)
      apply<Number, n>(after, to, from, count * stride);
    else if (after.with == Elementwise::With::constants)
      apply_numbers<n>(after.operation, to, from,
                       static_cast<const Number *>(after.constants) + feature, after.step, count,
                       stride);
    else if (after.step == 1)
      apply_values<n>(after.operation, to, from, with, count * stride);
    else
      apply_row<n>(after.operation, to, from, with, count, stride);
  }
}

template <class Number, int n>
void apply_after(const Instruction &step, const Columns &columns) {
  const Number *to = value_at<const Number>(columns, step.to);
  for (int64_t first = 0; step.n_after > 0 && first < step.size; first += slab)
    apply_after<n>(step, columns, to + first * columns.stride, first,
                   least(slab, step.size - first));
}

#if defined(HYBRID_KERNELS_BF16)
// A matrix of bf16: its operand is rounded once, not for each panel.
template <int n>
void run_reduced(const Instruction &step, const Columns &columns) {
  const int64_t stride = columns.stride, n_pair = (step.n_in + 1) / 2;
  const auto *weight = static_cast<const float *>(step.weight);
  float *words = columns.rows + step.scratch * stride, *to = columns.rows + step.to * stride;
  round_rows<n>(columns.rows + step.from * stride, step.n_in, stride, words);
  for (int64_t first = 0; first < step.size; first += panel_height) {
    const int64_t count = least(panel_height, step.size - first);
    multiply_pairs(weight + first * (n_pair + 1), words, n_pair, stride, to + first * stride,
                   count);
    apply_after<n>(step, columns, to + first * stride, first, count);
  }
}

void multiply_reduced_one(const Instruction &step, const Columns &columns) {
  float *words = columns.rows + step.scratch;
  round_one(columns.rows + step.from, step.n_in, words);
  multiply_one_pairs(static_cast<const float *>(step.weight), words, (step.n_in + 1) / 2,
                     columns.rows + step.to, step.size);
}
#endif

// The operand of a cast to numbers of the other type.
HYBRID_INLINE const double *other_type(const Columns &columns, int64_t row, float * /*to*/) {
  return value_at<const double>(columns, row);
}
HYBRID_INLINE const float *other_type(const Columns &columns, int64_t row, double * /*to*/) {
  return value_at<const float>(columns, row);
}

template <class Number, int n>
void run_instruction(const Instruction &step, const Columns &columns) {
  const int64_t stride = columns.stride;
  const Number *from = value_at<const Number>(columns, step.from);
  const auto *weight = static_cast<const Number *>(step.weight);
  Number *to = value_at<Number>(columns, step.to);
  switch (step.kind) {
    case Instruction::Kind::load:
      for (int64_t first = 0; first < step.size; first += slab) {
        const int64_t count = least(slab, step.size - first);
        load_features(static_cast<const Number *>(columns.arguments[step.n_in]), step.size, first,
                      count, columns, to + first * stride);
        apply_after<n>(step, columns, to + first * stride, first, count);
      }
      return;
    case Instruction::Kind::linear:
#if defined(HYBRID_KERNELS_BF16)
      if constexpr (sizeof(Number) == sizeof(float))
        if (step.is_reduced) return run_reduced<n>(step, columns);
#endif
      for (int64_t first = 0; first < step.size; first += panel_height) {
        const int64_t count = least(panel_height, step.size - first);
        multiply_panel(weight + first * (step.n_in + 1), from, step.n_in, stride,
                       to + first * stride, count);
        apply_after<n>(step, columns, to + first * stride, first, count);
      }
      return;
    case Instruction::Kind::move:
      if (step.n_after == 0) return copy(to, from, step.size * stride);
      for (int64_t first = 0; first < step.size; first += slab)
        apply_after<n>(step, columns, from + first * stride, first, least(slab, step.size - first));
      return;
    case Instruction::Kind::fill:
      for (int64_t feature = 0; feature < step.size; ++feature)
        for (int64_t column = 0; column < stride; column += n)
          store<n>(to + feature * stride + column, all<n>(weight[feature]));
      break;
    case Instruction::Kind::gather:
      for (int64_t feature = 0; feature < step.size; ++feature)
        copy(to + feature * stride, from + step.index[feature] * stride, stride);
      break;
    case Instruction::Kind::select:
      select(step, columns, stride, to);
      break;
    case Instruction::Kind::layer_norm:
      normalise_columns<n>(step, from, to, stride);
      break;
    case Instruction::Kind::sum:
      sum_columns(step, from, to, stride);
      break;
    case Instruction::Kind::cast:
      cast(to, other_type(columns, step.from, to), step.size * stride);
      break;
    case Instruction::Kind::gate:
      return run_gate(step, columns);
    case Instruction::Kind::store:
      transpose(from, stride, static_cast<Number *>(columns.results[step.n_in]), step.size,
                step.size, columns.n);
      return;
  }
  apply_after<Number, n>(step, columns);
}

// One column: features are lanes.
template <class Number>
void apply_after_one(const Instruction &step, const Columns &columns, const Number *from) {
  constexpr int n = sizeof(Number) == sizeof(float) ? short_lanes : double_lanes;
  Number *to = value_at<Number>(columns, step.to);
  const int64_t count = (step.size + panel_height - 1) & ~(panel_height - 1);
  for (int32_t i = 0; i < step.n_after; ++i, from = to) {
    const auto &after = step.after[i];
    const bool is_constant = after.with == Elementwise::With::constants;
    const Number *with = is_constant ? static_cast<const Number *>(after.constants)
                                     : value_at<const Number>(columns, after.row);
    if (after.with == Elementwise::With::nothing)
      apply<Number, n>(after, to, from, count);
    else if (after.step == 1)
      apply_values<n>(after.operation, to, from, with, count);
    else
      apply_numbers<n>(after.operation, to, from, with, 0, 1, count);
  }
}

template <class Number>
void run_instruction_one(const Instruction &step, const Columns &columns) {
  const Number *from = value_at<const Number>(columns, step.from);
  const auto *weight = static_cast<const Number *>(step.weight);
  Number *to = value_at<Number>(columns, step.to);
  switch (step.kind) {
    case Instruction::Kind::load:
      copy(to, static_cast<const Number *>(columns.arguments[step.n_in]), step.size);
      break;
    case Instruction::Kind::linear:
#if defined(HYBRID_KERNELS_BF16)
      if (sizeof(Number) == sizeof(float) && step.is_reduced) {
        multiply_reduced_one(step, columns);
        break;
      }
#endif
      multiply_one(weight, from, step.n_in, to, step.size);
      break;
    case Instruction::Kind::move:
      if (step.n_after == 0) return copy(to, from, step.size);
      return apply_after_one(step, columns, from);
    case Instruction::Kind::fill:
      copy(to, weight, step.size);
      break;
    case Instruction::Kind::gather:
      for (int64_t feature = 0; feature < step.size; ++feature)
        to[feature] = from[step.index[feature]];
      break;
    case Instruction::Kind::select:
      select(step, columns, 1, to);
      break;
    case Instruction::Kind::layer_norm:
      normalise_one(step, from, to);
      break;
    case Instruction::Kind::sum:
      sum_columns(step, from, to, 1);
      break;
    case Instruction::Kind::cast:
      cast(to, other_type(columns, step.from, to), step.size);
      break;
    case Instruction::Kind::gate:
      return run_gate(step, columns);
    case Instruction::Kind::store:
      return copy(static_cast<Number *>(columns.results[step.n_in]), from, step.size);
  }
  apply_after_one<Number>(step, columns, to);
}

template <int n>
void run_all(const Code &code, const Columns &columns) {
  const Instruction *end = code.instructions + code.n_instruction;
  for (const auto *step = code.instructions; step != end; ++step) {
    if (step->type == Type::float64)
      run_instruction<double, double_lanes>(*step, columns);
    else
      run_instruction<float, n>(*step, columns);
  }
}

void run_all_one(const Code &code, const Columns &columns) {
  const Instruction *end = code.instructions + code.n_instruction;
  for (const auto *step = code.instructions; step != end; ++step) {
    if (step->type == Type::float64)
      run_instruction_one<double>(*step, columns);
    else
      run_instruction_one<float>(*step, columns);
  }
}

void run(const Code *code, const Columns *columns) {
  if (columns->stride == 1)
    run_all_one(*code, *columns);
  else if (columns->stride % lanes == 0)
    run_all<lanes>(*code, *columns);
  else
    run_all<short_lanes>(*code, *columns);
}

}  // namespace

extern const Kernels HYBRID_KERNELS = {HYBRID_KERNELS_NAME, lanes, largest_block,
                                       lanes == 16 ? largest_block : largest_block / 2, run};

}  // namespace hybrid_native
